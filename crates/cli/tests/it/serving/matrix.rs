//! Every role, every route, owned or not, over real HTTP, against a table that knows nothing of the program.

use std::collections::BTreeMap;

use metsuke_simulator::Size;
use serde_json::Value;

use super::client::Served;

/// One row for each operation: the area, whether it writes, who may do it (viewer, auditor, reviewer, operator, admin), and whether
/// owning the thing is enough; `session` is for people who have signed in, and `signed` for who signs what it sends: for no token;
/// `each` is for every scope, because what is done inside asks again.
const TABLE: &str = "
getHealth               service     r  ----- everybody
getReadiness            service     r  ----- everybody
getMetrics              service     r  ----- everybody
getDescription          service     r  ----- everybody
getInstallation         service     r  -a--A no
getIdentity             service     r  varoA no
assist                  service     r  varoA each
listConnectors          connectors  r  varoA no
createConnector         connectors  w  ----A no
getConnector            connectors  r  varoA no
editConnector           connectors  w  ----A yes
deleteConnector         connectors  w  ----A no
syncConnector           connectors  w  ---oA yes
cancelSync              connectors  w  ---oA yes
testConnector           connectors  w  ---oA yes
pauseConnector          connectors  w  ---oA yes
resumeConnector         connectors  w  ---oA yes
rotateConnectorToken    connectors  w  ----A yes
listConnectorRuns       connectors  r  varoA no
getConnectorRun         connectors  r  varoA no
listConnectorLogs       connectors  r  -aroA yes
uploadConnector         connectors  w  ---oA yes
listJobs                connectors  r  -aroA no
getJob                  connectors  r  -aroA no
retryJob                connectors  w  ---oA no
dropJob                 connectors  w  ---oA no
listGrants              estate      r  varoA no
listAccess              estate      r  varoA no
query                   estate      r  varoA no
listChanges             estate      r  varoA no
listPeople              estate      r  varoA no
listTeams               estate      r  varoA no
listApps                estate      r  varoA no
listEnterpriseAccounts  estate      r  varoA no
listAddOns              estate      r  varoA no
listInvitations         estate      r  varoA no
listUnresolvedMembers   estate      r  varoA no
getAppAccess            estate      r  varoA no
getPersonAccess         estate      r  varoA no
explainQuery            estate      r  varoA no
listQuestions           estate      r  varoA no
getQuestion             estate      r  varoA no
createQuestion          estate      w  varoA no
editQuestion            estate      w  varoA no
removeQuestion          estate      w  varoA no
listTiles               estate      r  varoA no
arrangeTiles            estate      w  varoA no
listSyncs               estate      r  varoA no
getSync                 estate      r  varoA no
acceptSync              estate      w  ---oA no
exportGraph             estate      r  varoA no
exportC1z               estate      r  varoA no
exportJupiterOne        estate      r  varoA no
uploadVersion           estate      w  ---oA no
compareC1z              estate      r  -a-oA no
listEmployees           employees   r  varoA no
listUnmatched           employees   r  varoA no
importRoster            employees   w  ---oA no
fetchRoster             employees   w  ---oA no
matchAccount            employees   w  ---oA no
unmatchAccount          employees   w  ---oA no
checkRules              rules       r  varoA no
runRules                rules       r  varoA no
replayRule              rules       r  varoA no
evaluateFindings        findings    w  ---oA no
listAlerts              channels    r  -a-oA no
retryAlert              channels    w  ---oA no
reconcilePlans          plans       w  ---oA no
getKillSwitch           plans       r  -aroA no
setKillSwitch           plans       w  ---oA no
listProtected           plans       r  -aroA no
protect                 plans       w  ----A no
unprotect               plans       w  ----A no
verifyAudit             audit       r  -a--A no
signAudit               audit       w  ----A no
exportAudit             audit       r  -a--A no
listRules               rules       r  varoA no
createRule              rules       w  ---oA no
importRules             rules       w  ---oA no
exportRules             rules       r  varoA no
getRule                 rules       r  varoA no
replaceRule             rules       w  ---oA no
setRule                 rules       w  ---oA no
removeRule              rules       w  ---oA no
listFindings            findings    r  varoA no
getFinding              findings    r  varoA no
acknowledgeFinding      findings    w  --roA no
acceptFinding           findings    w  --roA no
reopenFinding           findings    w  --roA no
listChannels            channels    r  -a-oA no
createChannel           channels    w  ----A no
getChannel              channels    r  -a-oA no
replaceChannel          channels    w  ----A no
removeChannel           channels    w  ----A no
testChannel             channels    w  ---oA no
listPlans               plans       r  -aroA no
createPlan              plans       w  ---oA anybody
getPlan                 plans       r  -aroA no
approvePlan             plans       w  ---oA no
applyPlan               plans       w  ---oA no
cancelPlan              plans       w  ---oA no
listAuditEvents         audit       r  -a--A no
listTokens              tokens      r  -a--A no
createToken             tokens      w  ----A no
getToken                tokens      r  -a--A no
revokeToken             tokens      w  ----A no
receiveHerokuWebhook    webhooks    w  ----- signed
listWebhooks            webhooks    r  -a-oA no
addWebhook              webhooks    w  ---oA no
getWebhook              webhooks    r  -a-oA no
removeWebhook           webhooks    w  ---oA no
examineInstallation     upkeep      w  ----A no
prune                   upkeep      w  ----A no
makeBackup              upkeep      w  ----A no
getSignInPage           session     r  ----- everybody
submitSignIn            session     w  ----- everybody
getSetupPage            session     r  ----- everybody
submitSetup             session     w  ----- everybody
askProvider             session     r  ----- everybody
answerFromProvider      session     r  ----- everybody
getAccountPage          session     r  ----- everybody
submitSignOut           session     w  ----- session
getSession              session     r  ----- session
createSession           session     w  ----- everybody
endSession              session     w  ----- session
changePassword          session     w  ----- session
offerSecondFactor       session     w  ----- session
confirmSecondFactor     session     w  ----- session
removeSecondFactor      session     w  ----- session
listOwnSessions         session     r  ----- session
endOtherSessions        session     w  ----- session
endOwnSession           session     w  ----- session
listAccounts            accounts    r  -a--A no
createAccount           accounts    w  ----A no
getAccount              accounts    r  -a--A no
editAccount             accounts    w  ----A no
resetPassword           accounts    w  ----A no
resetSecondFactor       accounts    w  ----A no
endSessions             accounts    w  ----A no
";

const ROLES: [&str; 5] = ["viewer", "auditor", "reviewer", "operator", "admin"];

/// What the table says of an operation.
#[derive(Debug)]
struct Row {
    area: &'static str,
    writes: bool,
    roles: &'static str,
    owner: &'static str,
}

fn table() -> BTreeMap<&'static str, Row> {
    let row = |line: &'static str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [id, area, writes, roles, owner] = words[..] else { panic!("{line}") };
        (id, Row { area, writes: writes == "w", roles, owner })
    };
    TABLE.lines().filter(|line| !line.is_empty()).map(row).collect()
}

/// The routes as the server describes them: operation, method, path.
async fn routes(served: &Served) -> Vec<(String, String, String)> {
    let document = served.send(("GET", "/api/v1/openapi.json"), None, &[], None).await.json();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            routes.push((id, method.to_uppercase(), path.clone()));
        }
    }
    routes
}

/// Asks so that nothing is changed that would be in the way of the next one: without bodies, and with a tag that fits nothing.
async fn try_it(served: &Served, (method, path): (&str, &str), connector: &str, token: Option<&str>) -> u16 {
    let id = if path.contains("/connectors/") { connector } else { "nothing" };
    let path = path.replace("{id}", id).replace("{run}", "nothing");
    let path =
        ["{version}", "{name}", "{person}"].iter().fold(path, |path, name| path.replace(name, "nothing"));
    served.send((method, &path), token, &[("if-match", "\"0-nothing\"")], None).await.status
}

fn is_let_in(status: u16) -> bool {
    assert!(status < 500, "{status}");
    ![401, 403].contains(&status)
}

#[tokio::test]
async fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let connector = served.connector(&admin, "acme", "Ann@Example.com").await;
    let table = table();
    let routes = routes(&served).await;
    let known: Vec<&str> = table.keys().copied().collect();
    let mut described: Vec<&str> = routes.iter().map(|(id, ..)| id.as_str()).collect();
    described.sort_unstable();
    assert_eq!(described, known, "the table and the description name the same operations");
    for (place, role) in ROLES.into_iter().enumerate() {
        let nobody = served.token(role, &[]).await;
        let stranger = served.token(role, &["--person", "bob@example.com"]).await;
        let owner = served.token(role, &["--person", "ann@example.com"]).await;
        for (id, method, path) in &routes {
            let row = &table[id.as_str()];
            let by_role = row.owner == "everybody" || row.roles.as_bytes()[place] != b'-';
            let cases = [
                (&nobody, by_role, "for nobody"),
                (&stranger, by_role || row.owner == "anybody", "for a stranger"),
                (&owner, by_role || ["yes", "anybody"].contains(&row.owner), "for the owner"),
            ];
            for (token, expected, who) in cases {
                let status = try_it(&served, (method, path), &connector, Some(token)).await;
                assert_eq!(is_let_in(status), expected, "{id} as {role} {who}: {status}");
            }
        }
    }
    assert_eq!(served.get(&admin, &format!("/api/v1/connectors/{connector}")).await.status, 200);
}

#[tokio::test]
async fn a_scope_lets_in_to_its_area_alone() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let connector = served.connector(&admin, "acme", "ann@example.com").await;
    let table = table();
    let routes = routes(&served).await;
    for scope in ["read", "write", "connectors:read", "connectors:write", "plans:write", "tokens:read"] {
        let token = served.token("admin", &["--scope", scope]).await;
        let (area, access) = scope.split_once(':').unwrap_or(("", scope));
        for (id, method, path) in &routes {
            let row = &table[id.as_str()];
            let covered = (area.is_empty() || area == row.area) && (access == "write" || !row.writes);
            let expected = ["everybody", "each"].contains(&row.owner)
                || (covered && !["session", "signed"].contains(&row.owner));
            let status = try_it(&served, (method, path), &connector, Some(&token)).await;
            assert_eq!(is_let_in(status), expected, "{id} with {scope}: {status}");
        }
    }
}

#[tokio::test]
async fn without_a_token_that_is_accepted_nothing_but_the_public_is_there() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let revoked = served.token("admin", &[]).await;
    let id = served.get(&revoked, "/api/v1/me").await.json()["token_id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/tokens/{id}");
    assert_eq!(served.send(("DELETE", &path), Some(&admin), &[], None).await.status, 200);
    let wrong = admin.replace(|digit: char| digit.is_ascii_digit(), "7");
    let heroku = served.house.heroku.token().to_owned();
    let table = table();
    for (id, method, path) in &routes(&served).await {
        for token in [None, Some("x"), Some(wrong.as_str()), Some(revoked.as_str()), Some(heroku.as_str())] {
            let status = try_it(&served, (method, path), "nothing", token).await;
            assert_eq!(status == 401, table[id.as_str()].owner != "everybody", "{id}: {status}");
        }
    }
}

#[tokio::test]
async fn an_owner_plans_for_the_own_app_and_for_no_other() {
    let served = Served::new(Size::Small).await;
    let admin = served.token("admin", &[]).await;
    let connector = served.connector(&admin, "acme", "ann@example.com").await;
    served.until(&admin, &connector, "connected").await;
    let apps = served.get(&admin, "/api/v1/apps?limit=1000").await.rows();
    let own = apps.iter().find(|app| app["team"].is_null() && app["owner"].is_string()).unwrap();
    let others = apps.iter().find(|app| app["team"].is_string()).unwrap();
    let person = own["owner"].as_str().unwrap();
    let viewer = served.token("viewer", &["--person", person]).await;
    let ask = |app: &Value| {
        serde_json::json!({
            "action": "grant", "user": "new@example.com", "app": app["id"], "collaborator": true,
        })
    };
    let refused = served.post(&viewer, "/api/v1/plans", &ask(others)).await;
    assert_eq!((refused.status, refused.code().as_str()), (403, "forbidden"), "{}", refused.text());
    let missing = serde_json::json!({ "action": "remove", "user": "new@example.com" });
    assert_eq!(served.post(&viewer, "/api/v1/plans", &missing).await.status, 403);
    let planned = served.post(&viewer, "/api/v1/plans", &ask(own)).await;
    assert!([201, 409].contains(&planned.status), "{}", planned.text());
}
