//! The first person, by the link in the log.

use secrecy::ExposeSecret as _;

use crate::house::{HOUR, House, PASSWORD};

async fn link(house: &House) -> String {
    house.people.offer_setup().await.unwrap().unwrap().expose_secret().to_owned()
}

fn fields<'a>(link: &'a str, email: &'a str) -> [(&'static str, &'a str); 4] {
    [("link", link), ("email", email), ("name", "Ann Lee"), ("password", PASSWORD)]
}

#[tokio::test]
async fn the_link_sets_one_admin_up_and_is_good_once() {
    let house = House::new().await;
    let link = link(&house).await;
    let mut browser = house.browser();
    assert!(browser.get("/auth/sign-in").await.body.contains("Nobody can sign in yet"));
    let page = browser.get(&format!("/setup?link={link}")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("referrer-policy"), "same-origin");

    let done = browser.submit("/setup", &fields(&link, "Ann@Example.com")).await;
    assert_eq!((done.status, done.header("location")), (303, "/setup/heroku"));
    let told = browser.get("/api/v1/session").await.json();
    assert_eq!((&told["email"], &told["role"]), (&"ann@example.com".into(), &"admin".into()));

    let mut other = house.browser();
    assert_eq!(other.get(&format!("/setup?link={link}")).await.status, 404);
    assert_eq!(other.submit("/setup", &fields(&link, "eve@example.com")).await.status, 404);
    assert!(house.people.offer_setup().await.unwrap().is_none(), "somebody is there");
    let event = &house.events_of("setup.done").await[0];
    assert_eq!(event.details["email"], "ann@example.com");
}

#[tokio::test]
async fn an_expired_an_earlier_and_a_made_up_link_are_no_good() {
    let house = House::new().await;
    let (earlier, newest) = (link(&house).await, link(&house).await);
    let made_up = format!("mtl_{}", "0".repeat(64));
    for bad in [earlier.as_str(), &made_up, "mtl_", ""] {
        assert_eq!(house.browser().submit("/setup", &fields(bad, "eve@example.com")).await.status, 404);
    }
    house.pass(24 * HOUR);
    assert_eq!(house.browser().submit("/setup", &fields(&newest, "eve@example.com")).await.status, 404);
    assert!(house.people.nobody().await.unwrap());
}

#[tokio::test]
async fn a_bad_password_leaves_the_link_good_and_two_at_once_make_one_admin() {
    let house = House::new().await;
    let link = link(&house).await;
    let weak = [("link", link.as_str()), ("email", "ann@example.com"), ("name", ""), ("password", "short")];
    let page = house.browser().submit("/setup", &weak).await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("ann@example.com") && !page.body.contains("short"), "{}", page.body);

    let (mut one, mut other) = (house.browser(), house.browser());
    let (one_fields, other_fields) = (fields(&link, "ann@example.com"), fields(&link, "eve@example.com"));
    let (first, second) =
        tokio::join!(one.submit("/setup", &one_fields), other.submit("/setup", &other_fields));
    let mut both = [first.status, second.status];
    both.sort_unstable();
    assert_eq!(both, [303, 404]);
    assert_eq!(house.people.list("", 9).await.unwrap().len(), 1);
}
