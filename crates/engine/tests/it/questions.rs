//! The ready questions: asked on estates, on both engines, and compared with what the other answers say.

mod estate;

use std::collections::{BTreeMap, BTreeSet};

use metsuke_engine::access::{GrantFilter, app_access, user_access};
use metsuke_engine::people::directory;
use metsuke_engine::query::{self, Answer, Settings, Variable};
use metsuke_engine::{lists, questions};
use metsuke_model::ResourceType;
use metsuke_model::grant::PrincipalKind;
use metsuke_model::graph::Value;
use metsuke_simulator::{Options, Size};
use serde_json::{Map, Value as Json};

use crate::house::House;
use estate::lively;

type Row = Map<String, Json>;

async fn answer(house: &House, id: &str, given: &[(&str, Variable)]) -> Answer {
    let question = questions::find(id).unwrap();
    let given: Vec<(String, Variable)> =
        given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let now = house.snapshot(None).await.sync().finished_at;
    let settings = Settings {
        variables: question.settle(&given).unwrap(),
        include_deleted: question.include_deleted,
        ..Settings::at(now)
    };
    let folder = tempfile::tempdir().unwrap();
    let answer = query::run(&house.store, &question.text(), &settings, folder.path()).await;
    let answer = answer.unwrap_or_else(|error| panic!("{id}: {error}"));
    assert!(answer.warnings.is_empty() && !answer.truncated, "{id}: {:?}", answer.warnings);
    answer
}

async fn rows(house: &House, id: &str, given: &[(&str, Variable)]) -> Vec<Row> {
    answer(house, id, given).await.objects()
}

fn text(value: &str) -> Variable {
    Variable::One(Value::text(value))
}

fn cell(row: &Row, name: &str) -> String {
    match row.get(name) {
        None => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Some columns of the rows, without regard to their order.
fn columns<const N: usize>(rows: &[Row], names: [&str; N]) -> BTreeSet<[String; N]> {
    rows.iter().map(|row| names.map(|name| cell(row, name))).collect()
}

fn given<T: AsRef<str>>(text: Option<&T>) -> String {
    text.map(|text| text.as_ref().to_owned()).unwrap_or_default()
}

async fn every_question_has_an_answer(house: House) {
    let examples = lively(&house).await;
    let mut empty = Vec::new();
    for question in questions::all() {
        let given: Vec<(&str, Variable)> = question
            .variables
            .iter()
            .filter_map(|parameter| Some((&*parameter.name, examples.get(&*parameter.name)?.clone())))
            .collect();
        if answer(&house, &question.id, &given).await.total() == 0 {
            empty.push(&*question.id);
        }
    }
    // The simulated Heroku archives no app and attaches every add-on.
    assert_eq!(empty, ["archived-apps", "unattached-addons"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_has_an_answer_on_sqlite() {
    every_question_has_an_answer(House::on_sqlite(Options::of(Size::Mixed).seed(5)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_has_an_answer_on_postgres() {
    every_question_has_an_answer(House::on_postgres(Options::of(Size::Mixed).seed(5)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_can_be_asked_where_there_is_little_or_what_is_odd() {
    for size in [Size::Personal, Size::Standard, Size::Awkward] {
        let house = House::on_sqlite(Options::of(size).seed(2)).await;
        house.sync().await;
        for question in questions::all() {
            let wanted = question.variables.iter().filter(|parameter| parameter.default.is_none());
            let given: Vec<_> = wanted.map(|parameter| (&*parameter.name, text("x"))).collect();
            answer(&house, &question.id, &given).await;
        }
    }
}

async fn questions_about_access_agree_with_the_other_answers(house: House) {
    lively(&house).await;
    let mut snapshot = house.snapshot(None).await;
    let apps = lists::apps(&mut snapshot).await.unwrap();
    let users = lists::users(&mut snapshot).await.unwrap();

    let mut database_readers = BTreeSet::new();
    for addon in lists::addons(&mut snapshot).await.unwrap() {
        if addon.service.as_deref() != Some("heroku-postgresql") {
            continue;
        }
        for app in &addon.attached_to {
            for person in app_access(&mut snapshot, app).await.unwrap().people {
                if person.reads_config() {
                    let email = given(person.principal.email.as_ref());
                    database_readers.insert([given(addon.name.as_ref()), app.to_string(), email]);
                }
            }
        }
    }
    let asked = rows(&house, "database-readers", &[]).await;
    assert_eq!(columns(&asked, ["db.name", "app.name", "u.email"]), database_readers);

    for app in apps.iter().step_by(7) {
        let name = app.name.as_deref().unwrap();
        let asked = pairs(&rows(&house, "app-access", &[("app", text(name))]).await, "u.email");
        let people = app_access(&mut snapshot, name).await.unwrap().people;
        let said = people.iter().flat_map(|person| {
            let email = given(person.principal.email.as_ref());
            person.held.iter().map(move |held| (email.clone(), held.entitlement.to_string()))
        });
        assert_eq!(asked, said.collect(), "{name}");
    }
    for user in users.iter().step_by(5) {
        let email = user.email.as_deref().unwrap();
        let asked = pairs(&rows(&house, "person-access", &[("email", text(email))]).await, "app.name");
        let said = user_access(&mut snapshot, email).await.unwrap().apps;
        let said = said.iter().flat_map(|app| {
            let name = app.app.name.to_string();
            app.held.iter().map(move |held| (name.clone(), held.entitlement.to_string()))
        });
        assert_eq!(asked, said.collect(), "{email}");
    }

    let effective = house.lines(&GrantFilter { effective: true, ..GrantFilter::default() }, None).await;
    let on_apps = |words: &[&str]| {
        let mut apps: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let held = effective.iter().filter(|grant| {
            grant.principal.kind == PrincipalKind::User
                && grant.resource.resource_type == ResourceType::App
                && words.contains(&&*grant.entitlement)
        });
        for grant in held {
            let email = given(grant.principal.email.as_ref());
            apps.entry(email).or_default().insert(grant.resource.id.to_string());
        }
        apps
    };
    let count = |apps: &BTreeMap<String, BTreeSet<String>>| -> BTreeSet<[String; 2]> {
        apps.iter().map(|(email, apps)| [email.clone(), apps.len().to_string()]).collect()
    };
    let asked = rows(&house, "most-privileged-people", &[]).await;
    assert_eq!(columns(&asked, ["u.email", "apps"]), count(&on_apps(&["manage"])));

    let lacking = users.iter().filter(|user| user.two_factor == Some(false) && user.federated != Some(true));
    let lacking: BTreeSet<String> = lacking.map(|user| given(user.email.as_ref())).collect();
    let mut deployers = on_apps(&["deploy", "operate", "manage"]);
    deployers.retain(|email, _| lacking.contains(email));
    let asked = rows(&house, "deployers-without-second-factor", &[]).await;
    assert_eq!(columns(&asked, ["u.email", "apps"]), count(&deployers));
    let asked = rows(&house, "people-without-second-factor", &[]).await;
    assert_eq!(columns(&asked, ["u.email"]), lacking.into_iter().map(|email| [email]).collect());

    let mut leavers = BTreeSet::new();
    for line in directory(&house.store).await.unwrap().employees.iter().filter(|line| !line.active) {
        for account in &line.accounts {
            for app in user_access(&mut snapshot, &account.id.to_string()).await.unwrap().apps {
                leavers.insert([line.name.to_string(), app.app.name.to_string()]);
            }
        }
    }
    assert!(!leavers.is_empty());
    let asked = rows(&house, "leavers-with-access", &[]).await;
    assert_eq!(columns(&asked, ["p.name", "app.name"]), leavers);
}

/// One column of each row with each of its permissions.
fn pairs(rows: &[Row], name: &str) -> BTreeSet<(String, String)> {
    let permissions = |row: &Row| row["permissions"].as_array().cloned().unwrap_or_default();
    rows.iter()
        .flat_map(|row| {
            permissions(row).into_iter().map(|word| (cell(row, name), word.as_str().unwrap().to_owned()))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_access_agree_with_the_other_answers_on_sqlite() {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(5)).await;
    questions_about_access_agree_with_the_other_answers(house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_access_agree_with_the_other_answers_on_postgres() {
    let house = House::on_postgres(Options::of(Size::Mixed).seed(5)).await;
    questions_about_access_agree_with_the_other_answers(house).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_about_things_agree_with_the_lists() {
    let house = House::on_sqlite(Options::of(Size::Mixed).seed(5)).await;
    lively(&house).await;
    let mut snapshot = house.snapshot(None).await;
    let apps = lists::apps(&mut snapshot).await.unwrap();
    let such = |wanted: &dyn Fn(&lists::AppLine) -> bool| -> BTreeSet<[String; 1]> {
        apps.iter().filter(|app| wanted(app)).map(|app| [given(app.name.as_ref())]).collect()
    };
    let asked = |id: &'static str| async { columns(&rows(&house, id, &[]).await, ["app.name"]) };
    assert_eq!(asked("locked-apps").await, such(&|app| app.locked == Some(true)));
    assert_eq!(asked("apps-in-maintenance").await, such(&|app| app.maintenance == Some(true)));
    assert_eq!(asked("personal-apps").await, such(&|app| app.team.is_none() && app.owner.is_some()));

    let teams = lists::teams(&mut snapshot).await.unwrap();
    let said = teams.iter().filter(|team| team.apps > 0);
    let said = said.map(|team| [given(team.name.as_ref()), team.apps.to_string()]).collect();
    let listed = |name: &str| teams.iter().any(|team| team.name.as_deref() == Some(name));
    let mut asked = columns(&rows(&house, "team-apps", &[]).await, ["t.name", "apps"]);
    asked.retain(|[name, _]| listed(name));
    assert_eq!(asked, said);
    let outside = teams.iter().filter(|team| team.enterprise_account_id.is_none()).count();
    assert_eq!(answer(&house, "teams-outside-enterprise", &[]).await.total(), outside);

    let filter = GrantFilter { entitlement: Some("admin".into()), ..GrantFilter::default() };
    let admins = house.lines(&filter, None).await;
    let admins = admins.iter().filter(|grant| {
        grant.resource.resource_type == ResourceType::Team && grant.principal.kind == PrincipalKind::User
    });
    let admins: BTreeSet<[String; 2]> = admins
        .map(|grant| [grant.resource.name.to_string(), given(grant.principal.email.as_ref())])
        .collect();
    assert_eq!(columns(&rows(&house, "team-admins", &[]).await, ["t.name", "u.email"]), admins);
    let of = |team: &str| admins.iter().filter(|[name, _]| name == team).count();
    let said =
        teams.iter().map(|team| given(team.name.as_ref())).map(|team| [team.clone(), of(&team).to_string()]);
    assert_eq!(columns(&rows(&house, "admins-per-team", &[]).await, ["t.name", "admins"]), said.collect());
    let single = admins.iter().filter(|[team, _]| of(team) == 1).cloned().collect();
    assert_eq!(columns(&rows(&house, "teams-with-one-admin", &[]).await, ["t.name", "u.email"]), single);

    let addons = lists::addons(&mut snapshot).await.unwrap();
    let shared = addons.iter().flat_map(|addon| {
        let others = addon.attached_to.iter().filter(|app| addon.app.as_ref() != Some(app));
        others.map(|other| [given(addon.name.as_ref()), given(addon.app.as_ref()), other.to_string()])
    });
    let asked = rows(&house, "shared-addons", &[]).await;
    assert_eq!(columns(&asked, ["d.name", "owner.name", "other.name"]), shared.collect());
    let services = ["heroku-postgresql", "heroku-redis", "heroku-kafka"];
    let databases =
        addons.iter().filter(|addon| addon.service.as_deref().is_some_and(|it| services.contains(&it)));
    let databases = databases.map(|addon| [given(addon.name.as_ref()), given(addon.app.as_ref())]).collect();
    let asked = rows(&house, "databases", &[]).await;
    assert_eq!(columns(&asked, ["d.name", "d.applicationName"]), databases);

    let invitations = lists::invitations(&mut snapshot).await.unwrap();
    let now = snapshot.sync().finished_at;
    let old =
        invitations.iter().filter(|line| line.created_at.is_some_and(|at| at.0 < now.0 - 86_400_000_000));
    let old = old.map(|line| [given(line.team.as_ref()), given(line.email.as_ref())]).collect();
    let asked = rows(&house, "old-invitations", &[("days", Variable::One(Value::Number(1.0)))]).await;
    assert_eq!(columns(&asked, ["t.name", "i.email"]), old);
    let unresolved = lists::unresolved(&mut snapshot).await.unwrap().len();
    assert_eq!(answer(&house, "unresolved-members", &[]).await.total(), unresolved);
}
