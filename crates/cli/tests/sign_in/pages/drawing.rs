//! The graph: what surrounds a thing, and how somebody comes to another.

use metsuke_engine::identity::Role;
use metsuke_engine::lists;

use super::estate::{Estate, links};

#[tokio::test]
async fn what_surrounds_a_thing_is_drawn_and_listed_and_leads_on() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let large = browser.get("/graph").await;
    assert!(large.status == 200 && large.body.contains("<svg") && large.body.contains("The same as a list"));
    let mut snapshot = estate.snapshot().await;
    let team = lists::teams(&mut snapshot).await.unwrap().remove(0);
    let apps = lists::apps(&mut snapshot).await.unwrap();
    let app = apps.into_iter().rfind(|app| app.team.is_some()).unwrap();
    for of in [format!("team~{}", team.id), app.id.to_string(), "new.admin@example.com".to_owned()] {
        let page = browser.get(&format!("/graph?of={of}")).await;
        assert_eq!(page.status, 200, "{of}: {}", page.body);
        assert!(page.body.contains("<svg") && page.body.contains(" middle\""), "{of}: {}", page.body);
    }
    let page = browser.get(&format!("/graph?of=team~{}", team.id)).await;
    let opens = links(&page).into_iter().find(|link| link.contains("open=")).expect("nothing is gathered");
    let open = browser.get(&opens).await;
    let count = |body: &str| body.matches("class=\"node ").count();
    assert!(open.status == 200 && count(&open.body) > count(&page.body), "{}", open.body);
    assert_eq!(browser.get("/graph?of=nothing-of-the-kind").await.status, 404);
}

#[tokio::test]
async fn the_way_to_a_thing_is_told_in_words_too() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let mut snapshot = estate.snapshot().await;
    let team = lists::teams(&mut snapshot).await.unwrap().remove(0);
    let apps = lists::apps(&mut snapshot).await.unwrap();
    let app = apps.into_iter().rfind(|app| app.team == team.name).unwrap();
    for ends in [
        ("new.admin@example.com", app.id.to_string()),
        (&*app.id.to_string(), "new.admin@example.com".into()),
    ] {
        let page = browser.get(&format!("/graph?from={}&to={}", ends.0, ends.1)).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(page.body.contains("Admin of team") && page.body.contains("deploy"), "{}", page.body);
    }
    let none = browser.get("/graph?from=new.admin@example.com&to=elsewhere").await;
    assert!(none.body.contains("No way that Heroku tells of"), "{}", none.body);
    let nobody = browser.get("/graph?from=x&to=y").await;
    assert!(nobody.status == 422 && nobody.body.contains("neither end"), "{}", nobody.body);
}

#[tokio::test]
async fn a_question_is_drawn_and_a_picture_is_a_file() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let asked = "q=FIND+heroku_team+THAT+HAS+heroku_account_member+AS+u+RETURN+u.email";
    let page = browser.get(&format!("/graph?{asked}")).await;
    assert!(page.status == 200 && page.body.contains("<svg"), "{}", page.body);
    let svg = browser.get(&format!("/graph?format=svg&{asked}")).await;
    assert!(
        svg.header("content-type") == "image/svg+xml" && svg.body.starts_with("<svg xmlns"),
        "{}",
        svg.body
    );
    assert!(!svg.body.contains("href=") && !svg.body.contains("<script"), "{}", svg.body);
    let json = browser.get(&format!("/graph?format=json&{asked}")).await.json();
    assert!(json["nodes"].as_array().is_some_and(|nodes| !nodes.is_empty() && nodes.len() <= 300), "{json}");
    let wrong = browser.get("/graph?q=FIND+heroku_team+WHIT+name").await;
    assert!(wrong.status == 422 && wrong.body.contains('^'), "{}", wrong.body);
    let hostile = browser.get("/graph?q=FIND+heroku_application").await;
    assert!(
        !hostile.body.contains("<script>alert") && !hostile.body.contains('\u{202e}'),
        "{}",
        hostile.body
    );
}
