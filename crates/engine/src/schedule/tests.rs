use metsuke_model::FixedClock;

use super::*;

fn at(text: &str) -> Moment {
    Moment::parse(text).unwrap()
}

fn times(polling: &Polling, from: &str, count: usize) -> Vec<String> {
    let mut now = at(from);
    let anchor = now;
    std::iter::repeat_with(|| {
        now = polling.next_after(now, anchor).unwrap();
        now.to_string()
    })
    .take(count)
    .collect()
}

#[test]
fn every_form_reads_back_as_it_is_written() {
    for document in [
        json!("DISABLED"),
        json!("FIFTEEN_MINUTES"),
        json!("TWELVE_HOURS"),
        json!("ONE_DAY"),
        json!("ONE_WEEK"),
        json!({ "interval": "ONE_DAY", "hour": 23 }),
        json!({ "interval": "ONE_WEEK", "day_of_week": 6, "hour": 0 }),
        json!({ "cron": "30 2 * * *", "time_zone": "Europe/Berlin" }),
    ] {
        let polling = Polling::parse(&document).unwrap();
        assert_eq!(polling.document(), document);
    }
}

#[test]
fn what_is_no_interval_is_told() {
    for (document, told) in [
        (json!("SOMETIMES"), "FIFTEEN_MINUTES"),
        (json!(5), "a name or an object"),
        (json!({ "interval": "ONE_HOUR", "hour": 3 }), "no such day or hour"),
        (json!({ "interval": "ONE_DAY", "hour": 24 }), "from 0 to 23"),
        (json!({ "cron": "30 2 * * *", "time_zone": "Mars/Olympus" }), "no time zone"),
        (json!({ "cron": "0 0 30 2 *" }), "never comes"),
        (json!({ "cron": "61 * * * *" }), "no cron expression"),
        (json!({ "cron": "* * * * * *" }), "no cron expression"),
        (json!({ "cron": "* * * * *", "interval": "ONE_DAY" }), "either"),
        (json!({ "cron": "* * * * *", "every": 5 }), "`every`"),
    ] {
        let error = Polling::parse(&document).unwrap_err();
        assert!(error.contains(told), "{document}: {error}");
    }
}

#[test]
fn days_and_weeks_have_their_hour() {
    let daily = Polling::Daily { hour: Some(7) };
    assert_eq!(times(&daily, "2026-11-22T07:00:00Z", 1), ["2026-11-23T07:00:00Z"]);
    assert_eq!(times(&daily, "2026-11-22T06:59:59Z", 1), ["2026-11-22T07:00:00Z"]);
    // 22 November 2026 is a Sunday.
    let weekly = Polling::Weekly { day: Some(1), hour: None };
    assert_eq!(times(&weekly, "2026-11-22T12:00:00Z", 2), ["2026-11-23T03:00:00Z", "2026-11-30T03:00:00Z"]);
}

#[test]
fn a_fixed_hour_comes_once_when_the_clock_goes_back_and_when_it_goes_forward() {
    let polling = Polling::cron("30 2 * * *", "Europe/Berlin").unwrap();
    // The night of 25 October 2026 has 02:30 twice.
    assert_eq!(times(&polling, "2026-10-24T12:00:00Z", 2), ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
    // The night of 28 March 2027 has no 02:30.
    let spring = times(&polling, "2027-03-27T12:00:00Z", 2);
    assert_eq!(spring, ["2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"]);
}

#[test]
fn every_hour_is_an_hour_whatever_the_clock_on_the_wall_does() {
    let polling = Polling::cron("0 * * * *", "Europe/Berlin").unwrap();
    for from in ["2026-10-24T20:00:00Z", "2027-03-27T20:00:00Z"] {
        let mut now = at(from);
        for _ in 0..12 {
            let next = polling.next_after(now, now).unwrap();
            assert_eq!(next.0 - now.0, HOUR, "{now}");
            now = next;
        }
    }
}

#[test]
fn what_was_missed_is_served_once() {
    let polling = Polling::Every(Duration::from_hours(1));
    let planned = ScheduleRow { next_at: Some(at("2026-11-22T01:00:00Z")), slot: None };
    let now = at("2026-11-22T09:30:00Z");
    let due = Tick::Due(ScheduleRow { next_at: Some(at("2026-11-22T10:00:00Z")), slot: Some(now) });
    assert_eq!(polling.tick(planned, &FixedClock::at(now)), due);
}

#[test]
fn a_clock_put_back_a_little_serves_nothing_twice() {
    let polling = Polling::Daily { hour: Some(3) };
    let planned =
        ScheduleRow { next_at: Some(at("2026-11-23T03:00:00Z")), slot: Some(at("2026-11-22T03:00:01Z")) };
    assert_eq!(polling.tick(planned, &FixedClock::at(at("2026-11-22T02:55:00Z"))), Tick::Rest);
    assert_eq!(polling.tick(planned, &FixedClock::at(at("2026-11-22T03:00:00Z"))), Tick::Rest);
}

#[test]
fn a_clock_put_back_by_days_does_not_stop_the_schedule() {
    let polling = Polling::Daily { hour: Some(3) };
    let planned =
        ScheduleRow { next_at: Some(at("2026-11-23T03:00:00Z")), slot: Some(at("2026-11-22T03:00:01Z")) };
    let replanned = ScheduleRow { next_at: Some(at("2026-11-10T03:00:00Z")), slot: None };
    let now = at("2026-11-09T12:00:00Z");
    assert_eq!(polling.tick(planned, &FixedClock::at(now)), Tick::Plan(replanned));
}
