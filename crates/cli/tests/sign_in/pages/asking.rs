//! The console for questions: what is asked stands in the address, and what came of it leads to its pages.

use std::fmt::Write as _;

use metsuke_engine::identity::Role;

use super::estate::{Estate, link_to};

fn quoted(text: &str) -> String {
    text.bytes().fold(String::new(), |mut quoted, byte| {
        write!(quoted, "%{byte:02X}").unwrap();
        quoted
    })
}

#[tokio::test]
async fn an_answer_leads_to_the_pages_of_what_it_names() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let text = "FIND heroku_account_member AS u THAT ACCESSES AS w heroku_application AS app \
                RETURN u.email, app, w.permissions LIMIT 20";
    let page = browser.get(&format!("/query?q={}", quoted(text))).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("20 rows") && page.body.contains(">u.email</th>"), "{}", page.body);
    for list in ["/people/", "/apps/"] {
        assert_eq!(browser.get(&link_to(&page, list)).await.status, 200, "{list}");
    }
    let short = "FIND heroku_team AS t THAT HAS heroku_account_member RETURN TREE";
    for view in ["table", "tree", "json", "plan"] {
        let page = browser.get(&format!("/query?view={view}&q={}", quoted(short))).await;
        assert_eq!(page.status, 200, "{view}: {}", page.body);
        assert!(page.body.len() < 200_000, "{view} has {} bytes", page.body.len());
    }
    let plan = browser.get(&format!("/query?view=plan&q={}", quoted(short))).await;
    assert!(plan.body.contains("SELECT"), "{}", plan.body);
}

#[tokio::test]
async fn a_mistake_is_shown_where_it_stands_with_what_was_meant() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let page = browser.get("/query?q=FIND+heroku_aplication").await;
    assert!(
        page.body.contains("class=\"warned\"") && page.body.contains("heroku_application"),
        "{}",
        page.body
    );
    let page = browser.get("/query?q=FIND+heroku_team+WHIT+name+%3D+1").await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("class=\"picture\"") && page.body.contains('^'), "{}", page.body);
    assert!(page.body.contains("FIND heroku_team WHIT name = 1</textarea>"), "what was typed is gone");
}

#[tokio::test]
async fn a_ready_question_asks_for_what_it_leaves_open() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let found = browser.get("/query?find=leaves+nothing+of+the+kind").await;
    assert!(found.body.contains("0 questions"), "{}", found.body);
    let open = browser.get("/query?ask=person-access").await;
    assert!(open.status == 200 && open.body.contains("name=\"p.email\""), "{}", open.body);
    assert!(open.body.contains("Say what ${email} is"), "{}", open.body);
    let told = browser.get("/query?ask=person-access&p.email=new.admin%40example.com").await;
    assert!(told.status == 200 && told.body.contains("<tbody>"), "{}", told.body);
    let past = browser.get("/query?ask=person-access&p.email=new.admin%40example.com&as_of=1").await;
    assert!(past.body.contains("Nothing fits"), "that admin came later: {}", past.body);
}

#[tokio::test]
async fn an_answer_is_a_file_without_formulas_and_a_page_without_markup() {
    let estate = Estate::new().await;
    let mut browser = estate.browser(Role::Viewer).await;
    let text = quoted("FIND heroku_application AS a RETURN a.name, a.id");
    let file = browser.get(&format!("/query?format=csv&q={text}")).await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert!(file.body.contains("'=cmd") && file.header("content-disposition").contains("answer.csv"));
    for view in ["table", "tree", "json"] {
        let page = browser.get(&format!("/query?view={view}&q={text}")).await;
        assert!(!page.body.contains("<script>alert") && !page.body.contains('\u{202e}'), "{view}");
    }
    let words = browser.get("/query/catalogue").await.json();
    assert!(words["types"].as_array().unwrap().iter().any(|known| known["name"] == "heroku_team"));
}
