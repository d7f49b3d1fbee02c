//! Every fault of writes does what its name says: whether the write takes effect, when, and what is told.

use std::time::{Duration, Instant};

use metsuke_simulator::{Delay, Fate, Fault, FaultKind, Told, WriteFault};
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::house::House;

const NEW: &str = "new@example.com";

/// What the sender of a write learns.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Status(u16),
    Broken(u16),
    Nothing,
}

/// Puts somebody into the team, and soon gives up where nothing is to be heard.
async fn heard(house: &House, fault: &str) -> Heard {
    let patience = if fault.contains("hang") { Duration::from_millis(300) } else { Duration::from_mins(1) };
    match tokio::time::timeout(patience, house.put(NEW, "member")).await {
        Ok(Ok(answer)) => {
            let status = answer.status().as_u16();
            if answer.bytes().await.is_ok() { Heard::Status(status) } else { Heard::Broken(status) }
        }
        Ok(Err(_)) | Err(_) => Heard::Nothing,
    }
}

#[tokio::test]
async fn an_applied_write_has_its_effect_whatever_its_sender_is_told() {
    let cases = [
        ("write-applied-reset", Heard::Nothing, None),
        ("write-applied-500", Heard::Status(500), Some(500)),
        ("write-applied-502", Heard::Status(502), Some(502)),
        ("write-applied-503", Heard::Status(503), Some(503)),
        ("write-applied-truncated", Heard::Broken(201), Some(201)),
        ("write-applied-hang", Heard::Nothing, None),
    ];
    for (fault, expected, answer) in cases {
        let house = House::struck_by(fault).await;
        assert_eq!(heard(&house, fault).await, expected, "{fault}");
        assert_eq!(house.role(NEW).as_deref(), Some("member"), "{fault}");
        let write = house.latest();
        assert!(write.changed(), "{fault}");
        assert_eq!((write.fault, write.answer), (Some(fault), answer));
    }
}

#[tokio::test]
async fn a_dropped_write_has_no_effect_whatever_its_sender_is_told() {
    let cases = [
        ("write-dropped-reset", Heard::Nothing, None),
        ("write-dropped-500", Heard::Status(500), Some(500)),
        ("write-dropped-502", Heard::Status(502), Some(502)),
        ("write-dropped-503", Heard::Status(503), Some(503)),
        ("write-dropped-hang", Heard::Nothing, None),
    ];
    for (fault, expected, answer) in cases {
        let house = House::struck_by(fault).await;
        assert_eq!(heard(&house, fault).await, expected, "{fault}");
        assert_eq!(house.role(NEW), None, "{fault}");
        let write = house.latest();
        assert_eq!((write.fate, write.fault, write.answer), (Fate::Dropped, Some(fault), answer));
    }
}

#[tokio::test]
async fn a_late_write_has_its_effect_when_its_sender_is_long_gone() {
    let cases = [
        ("write-late-reset=1500", Heard::Nothing, None),
        ("write-late-500=1500", Heard::Status(500), Some(500)),
        ("write-late-502=1500", Heard::Status(502), Some(502)),
        ("write-late-503=1500", Heard::Status(503), Some(503)),
        ("write-late-hang=1500", Heard::Nothing, None),
    ];
    let each = cases.map(|(fault, expected, answer)| async move {
        let house = House::struck_by(fault).await;
        assert_eq!(heard(&house, fault).await, expected, "{fault}");
        assert!(matches!(house.fate(), Fate::Waiting { .. }), "{fault}");
        assert_eq!((house.role(NEW), house.probe.simulator.journal().waiting), (None, 1), "{fault}");
        house.probe.simulator.settled().await;
        assert_eq!(house.role(NEW).as_deref(), Some("member"), "{fault}");
        let write = house.latest();
        let Fate::Applied { at, changed: true, .. } = write.fate else { panic!("{fault}: {write:?}") };
        assert!(at >= write.arrived + Duration::from_millis(1_500), "{fault}: {at:?}");
        assert_eq!(write.answer, answer);
    });
    futures::future::join_all(each).await;
}

#[tokio::test]
async fn a_late_write_meets_the_estate_as_others_have_left_it() {
    let house = House::struck_by("write-late-500=1500").await;
    assert_eq!(house.put(NEW, "viewer").await.expect("an answer").status(), 500);
    assert_eq!(house.put(NEW, "admin").await.expect("an answer").status(), 201);
    house.probe.simulator.settled().await;
    assert_eq!(house.role(NEW).as_deref(), Some("viewer"));
    let journal = house.probe.simulator.journal();
    let applied: Vec<u64> = journal.applied().iter().map(|write| write.order).collect();
    assert_eq!(applied, [2, 1]);
    let late = &journal.writes[0].effects()[0];
    assert_eq!((late.before.as_deref(), late.after.as_deref()), (Some("admin"), Some("viewer")));
}

#[tokio::test]
async fn a_late_write_is_refused_when_its_sender_may_no_longer_make_it() {
    let house = House::new().await;
    house.edit(|world| world.set_member(&house.team, NEW, Some("admin")));
    house.fault("write-late-reset=1500");
    let path = format!("{}/{NEW}", house.members());
    assert!(house.send(Method::DELETE, &path, json!({})).await.is_err());
    house.fault("write-late-reset=1500");
    assert!(house.put("other@example.com", "member").await.is_err());
    let own = house.edit(|world| world.caller_email());
    // The caller is admin for the first and no longer for the second.
    house.only_admin(&own);
    house.edit(|world| world.set_role(&house.team, NEW, Some("admin")));
    house.edit(|world| world.set_role(&house.team, &own, Some("member")));
    house.probe.simulator.settled().await;
    assert_eq!(house.role(NEW).as_deref(), Some("admin"));
    for write in house.probe.simulator.journal().writes {
        assert!(matches!(write.fate, Fate::Refused { status: 403, .. }), "{write:?}");
        assert_eq!(write.answer, None);
    }
}

#[tokio::test]
async fn a_late_write_does_not_take_the_last_admin() {
    let house = House::new().await;
    let own = house.edit(|world| world.caller_email());
    house.edit(|world| world.set_member(&house.team, NEW, Some("admin")));
    house.fault("write-late-503=1500");
    let path = format!("{}/{own}", house.members());
    assert_eq!(house.send(Method::DELETE, &path, json!({})).await.expect("an answer").status(), 503);
    house.only_admin(&own);
    house.probe.simulator.settled().await;
    assert!(matches!(house.fate(), Fate::Refused { status: 422, id: "invalid_params", .. }));
    assert_eq!(house.role(&own).as_deref(), Some("admin"));
}

#[tokio::test]
async fn what_the_door_refuses_is_never_applied_late() {
    let mut house = House::new().await;
    house.probe.token = house.probe.simulator.token_with("read");
    house.fault("write-late-500=60000");
    assert_eq!(house.put(NEW, "member").await.expect("an answer").status(), 500);
    assert!(matches!(house.fate(), Fate::Refused { status: 403, .. }));
    assert_eq!(house.probe.simulator.journal().waiting, 0);
}

#[tokio::test]
async fn a_slow_answer_comes_long_after_the_effect() {
    let house = House::struck_by("write-applied-slow=1500").await;
    let started = Instant::now();
    let sent = house.put(NEW, "member");
    let seen = async {
        while house.role(NEW).is_none() {
            tokio::task::yield_now().await;
        }
        (started.elapsed(), house.latest().answer)
    };
    let (answer, (effect, answered)) = tokio::join!(sent, seen);
    assert_eq!(answer.expect("an answer").status(), 201);
    assert!(effect < Duration::from_millis(1_500) && started.elapsed() >= Duration::from_millis(1_500));
    assert_eq!((answered, house.latest().answer), (None, Some(201)));
}

#[tokio::test]
async fn faults_of_writes_pass_reads_over_and_count_writes_alone() {
    let house = House::new().await;
    house.fault("write-dropped-500@n:2");
    for _ in 0..3 {
        assert_eq!(house.probe.status("/account").await, 200);
    }
    let mut statuses = Vec::new();
    for at in 0..4 {
        statuses.push(house.put(&format!("{at}@example.com"), "member").await.expect("an answer").status());
    }
    assert_eq!(statuses, [201, 500, 201, 201]);
    let never = Fault::always(FaultKind::Write(WriteFault::Dropped(Told::Error500))).on("/teams/*/members");
    house.probe.simulator.faults().add(never);
    assert_eq!(house.probe.status(&house.members()).await, 200);
    for _ in 0..2 {
        assert_eq!(house.put("4@example.com", "member").await.expect("an answer").status(), 500);
    }
    let path = format!("/apps/{}/collaborators", house.app);
    assert_eq!(house.write(Method::POST, &path, json!({"user": "4@example.com"})).await.0, 201);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_write() {
    let house = House::new().await;
    let body = json!({"email": NEW, "role": "member"}).to_string();
    let head = format!(
        "PUT {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\naccept: {}\r\ncontent-length: {}\r\n\r\n",
        house.members(),
        house.probe.token,
        crate::probe::ACCEPT,
        body.len() + 1,
    );
    let mut line = tokio::net::TcpStream::connect(house.probe.simulator.address()).await.expect("a line");
    line.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
    while house.probe.simulator.stats().requests == 0 {
        tokio::task::yield_now().await;
    }
    drop(line);
    assert_eq!(house.put("other@example.com", "member").await.expect("an answer").status(), 201);
    let orders: Vec<_> = house.probe.simulator.journal().writes.iter().map(|write| write.order).collect();
    assert_eq!((orders, house.role(NEW)), (vec![1], None));
}

#[tokio::test]
async fn nobody_hangs_on_a_simulator_that_has_stopped() {
    let House { probe, team, .. } = House::struck_by("write-applied-hang").await;
    let request = probe.client.put(format!("{}/teams/{team}/members", probe.simulator.url()));
    let request = request.bearer_auth(&probe.token).header("accept", crate::probe::ACCEPT);
    let hanging = request.body(json!({"email": NEW, "role": "member"}).to_string()).send();
    let stopped = async {
        while probe.simulator.journal().applied().is_empty() {
            tokio::task::yield_now().await;
        }
        probe.simulator.stop().await;
    };
    let (answer, ()) = tokio::join!(hanging, stopped);
    assert!(answer.is_err());
}

#[test]
fn faults_of_writes_are_written_as_they_are_read() {
    for kind in WriteFault::ALL {
        let fault = Fault::always(FaultKind::Write(kind)).on("/teams");
        assert_eq!(fault.to_string().parse::<Fault>().expect("a fault"), fault);
        let named = Fault::always(FaultKind::Write(kind));
        assert_eq!(kind.as_str().parse::<Fault>().expect("a fault"), named);
    }
    for text in ["write-late-reset=1500@/teams#2", "write-late-hang=0..250", "write-applied-slow=10..20@n:3"]
    {
        let fault: Fault = text.parse().expect("a fault");
        assert_eq!(
            fault.to_string(),
            if fault.nth.is_some() { format!("{text}#1") } else { text.to_owned() }
        );
    }
    for text in
        ["write-applied-500=5", "write-late-reset=x", "write-late-reset=1..", "write-dropped-truncated"]
    {
        assert!(text.parse::<Fault>().is_err(), "{text}");
    }
    let delays: Delay = "20..5".parse().expect("a delay");
    assert_eq!(delays, Delay::between(Duration::from_millis(5), Duration::from_millis(20)));
}
