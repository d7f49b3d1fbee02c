//! Rule instances as they come: read, refused with every mistake, and written back.

use metsuke_testkit::{Chance, seed};
use serde_json::{Value as Json, json};

use super::*;

/// A rule with everything that is known of them, and members that are not.
fn full() -> Json {
    json!({
        "id": "552b2f27", "accountId": "acme", "name": "admins", "description": "Who is an admin",
        "version": 3, "specVersion": 1, "pollingInterval": "THIRTY_MINUTES", "latest": true, "deleted": false,
        "question": { "queries": [
            { "name": "query0", "query": "FIND heroku_team", "version": "v1", "includeDeleted": false },
            { "query": "FIND User THAT HAS heroku_team RETURN TREE", "version": "v1", "resultsAre": "INFORMATIVE" },
        ] },
        "operations": [
            {
                "when": { "type": "FILTER", "specVersion": 1, "condition": "{{queries.query0.total > 0}}" },
                "actions": [
                    { "type": "SET_PROPERTY", "targetProperty": "alertLevel", "targetValue": "HIGH" },
                    { "type": "SET_PROPERTY", "targetProperty": "score", "targetValue": 7 },
                    { "type": "CREATE_ALERT" },
                    { "type": "SEND_EMAIL", "recipients": ["a@example.com"], "body": "{{queries.query0.data|mapTemplate('t')|join('<br>')}}" },
                    { "type": "SEND_SLACK_MESSAGE", "integrationInstanceId": "i", "channels": ["#x"], "body": "*{{alertRuleName}}*", "severity": "INFO" },
                    { "type": "WEBHOOK", "endpoint": "https://example.com", "method": "POST", "headers": { "X": "1" }, "body": { "rows": "{{queries.query0.data}}" } },
                    { "type": "CREATE_JIRA_TICKET", "integrationInstanceId": "i", "entityClass": "Vulnerability", "project": "P", "summary": "s", "issueType": "Task", "additionalFields": { "labels": ["x"] }, "autoResolve": true, "resolvedStatus": "Done" },
                    { "type": "PUBLISH_SNS_MESSAGE", "integrationInstanceId": "i", "topicArn": "arn", "data": { "a": "{{1}}" } },
                    { "type": "SEND_SQS_MESSAGE", "integrationInstanceId": "i", "queueUrl": "u", "data": { "a": 1 } },
                    { "type": "SEND_TO_S3", "integrationInstanceId": "i", "bucket": "b", "region": "r", "data": [] },
                    { "type": "TAG_ENTITIES", "entities": "{{queries.query0.data}}", "tags": [{ "name": "seen", "value": null }, { "name": "x", "value": "y" }] },
                    { "type": "FOR_EACH_ITEM", "items": "{{queries.query0.data}}", "itemRef": "row", "actions": [
                        { "type": "JUPITERONE_QUERY", "name": "inner", "query": "FIND heroku_application WITH teamId = '{{row.id}}'" },
                        { "type": "CREATE_ALERT" },
                    ] },
                    { "type": "SEND_CARRIER_PIGEON", "coop": { "roof": 1 }, "note": "{{ }} is not read" },
                ],
                "note": "kept",
            },
            { "when": [{ "type": "FILTER", "version": 1, "condition": ["AND", ["queries.query1.total", "!=", 0], ["OR", ["queries.query0.total", "<", 5]]] }], "actions": [] },
            { "actions": [{ "type": "CREATE_ALERT" }] },
        ],
        "outputs": ["queries.query0.total", "alertLevel"],
        "templates": { "t": "{{item.name}}: {{itemIndex}} of {{itemCount}}" },
        "tags": ["old"], "labels": [{ "labelName": "team", "labelValue": "security" }],
        "notifyOnFailure": true, "triggerActionsOnNewEntitiesOnly": true, "ignorePreviousResults": false,
        "remediationSteps": "ask", "resourceGroupId": null, "latestAlertId": "x", "state": { "actions": [] },
        "somethingNew": { "of": ["next", "year"] },
    })
}

fn told(mistakes: &[Mistake]) -> Vec<String> {
    mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn a_document_comes_back_as_it_came_and_is_read_besides() {
    let read = Instance::read(&full()).unwrap_or_else(|mistakes| panic!("{:#?}", told(&mistakes)));
    assert_eq!(Json::Object(read.document().clone()), full());
    assert_eq!(Instance::read(&Json::Object(read.document().clone())).unwrap(), read);
    assert_eq!((read.key(), &*read.name), ("552b2f27", "admins"));
    assert_eq!(read.polling_interval, PollingInterval::Every(Period::ThirtyMinutes));
    assert_eq!(read.queries.iter().map(|query| &*query.name).collect::<Vec<_>>(), ["query0", "query1"]);
    assert_eq!(read.operations.iter().map(|operation| operation.when.len()).collect::<Vec<_>>(), [1, 1, 0]);
    let kinds: Vec<&str> = read.operations[0].actions.iter().map(|action| action.kind.as_str()).collect();
    assert_eq!(kinds.len(), 13);
    assert!(kinds.contains(&"SEND_CARRIER_PIGEON") && read.operations[0].actions[11].actions.len() == 2);
    assert_eq!(read.labels, [("team".into(), "security".into())]);
    assert!(read.notify_on_failure && read.new_entities_only && !read.ignore_previous_results);
}

#[test]
fn what_is_not_carried_out_here_is_noted() {
    let imported = import(&full().to_string()).unwrap();
    let notes = told(&imported.notes);
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].starts_with("operations[0].actions[10].type: `TAG_ENTITIES` is kept and not carried out")
    );
    assert!(notes[1].contains("`SEND_CARRIER_PIGEON`"));
    let odd = json!({
        "name": "x", "questionId": "q", "pollingInterval": "EVERY_BLUE_MOON", "specVersion": 2,
        "triggerActionsOnNewEntitiesOnly": true,
        "operations": [
            { "when": { "type": "ORACLE", "asks": "nobody" }, "actions": [] },
            { "actions": [{ "type": "WEBHOOK", "endpoint": "https://example.com", "headers": { "Authorization": "Bearer {{param.Token}}" } }] },
        ],
    });
    let imported = import(&odd.to_string()).unwrap();
    let notes = told(&imported.notes).join("\n");
    for part in [
        "questionId: the question stands in JupiterOne",
        "`EVERY_BLUE_MOON`",
        "specVersion: only version 1",
        "`ORACLE`",
        "operations[1].actions[0].headers.Authorization: `param` stands for",
    ] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    assert_eq!(imported.rules[0].polling_interval.as_str(), "EVERY_BLUE_MOON");
}

#[test]
fn every_mistake_is_named_by_its_place_and_nothing_is_imported() {
    let file = json!([
        { "name": "", "question": { "queries": [] } },
        {
            "name": "two", "pollingInterval": 7,
            "question": { "queries": [{ "name": "a b", "query": "FIND heroku_team WITH" }, { "name": "q" }, { "name": "q", "query": "FIND x" }] },
            "operations": [
                { "when": { "type": "FILTER", "condition": ["queries.q.total", "~", 0] }, "actions": [{ "type": "SEND_EMAIL" }] },
                { "when": { "type": "FILTER" }, "actions": [{}, { "type": "WEBHOOK", "method": "SHOUT", "headers": 1 }, { "type": "SEND_SLACK_MESSAGE" }] },
                7,
            ],
            "outputs": ["queries..total"], "templates": { "t": "{{ 1 +" },
            "labels": [{ "labelValue": "x" }], "notifyOnFailure": "yes",
            "subject": { "levels": { "q": "AWFUL" } },
        },
        { "name": "three", "change": { "what": "gift", "change": "moved", "resource": "planet", "when": "{{", "by": "me", "extra": 1 } },
        { "name": "three", "change": {} },
        { "name": "four", "operations": [] },
        "rule",
    ]);
    let mistakes = told(&import(&file.to_string()).unwrap_err());
    for part in [
        "[0].name: this is empty",
        "[0].question.queries: there is no query",
        "[1].pollingInterval: this should be a text",
        "[1].question.queries[0].name: a query's name holds",
        "[1].question.queries[0].query: ",
        "[1].question.queries[1].query: this is missing",
        "[1].operations[0].when.condition[1]: `~` is no operator",
        "[1].operations[0].actions[0].recipients: this is missing",
        "[1].operations[1].when.condition: this is missing",
        "[1].operations[1].actions[0].type: this is missing",
        "[1].operations[1].actions[1].endpoint: this is missing",
        "[1].operations[1].actions[1].method: this should be POST, PUT",
        "[1].operations[1].actions[1].headers: this should be an object",
        "[1].operations[1].actions[2]: neither integrationInstanceId nor webhookUrl",
        "[1].operations[2]: this should be an object",
        "[1].outputs[0]: at character 9",
        "[1].templates.t: at character 1: `{{` has no closing",
        "[1].labels[0].labelName: this is missing",
        "[1].notifyOnFailure: this should be true or false",
        "[1].subject.levels.q: `AWFUL` is none of",
        "[2].change.what: `gift` is none of grant, user",
        "[2].change.change: `moved` is none of added",
        "[2].change.resource: `planet` is none of team",
        "[2].change.when: at character 1",
        "[2].change.by: `me` is none of anybody, others",
        "[2].change.extra: a change rule has no such member",
        "[4]: the rule has neither a question nor a change",
        "[5]: this should be an object",
    ] {
        assert!(mistakes.iter().any(|mistake| mistake.starts_with(part)), "{part}\n{mistakes:#?}");
    }
    let same = json!([{ "name": "three", "change": {} }, { "name": "three", "change": {} }]);
    assert_eq!(told(&import(&same.to_string()).unwrap_err()), ["[1].name: another rule is called `three`"]);
    assert!(told(&import("[{]").unwrap_err())[0].starts_with("this is no JSON: "));
}

#[test]
fn a_pack_is_written_out_as_instances() {
    let pack = json!([
        { "name": "one", "description": "d", "queries": [{ "name": "query0", "query": "FIND heroku_team", "version": "v1" }], "alertLevel": "HIGH", "labels": [], "title": "kept" },
        { "name": "two", "queries": [{ "name": "a", "query": "FIND User" }, { "query": "FIND Team" }] },
    ]);
    let rules = import(&pack.to_string()).unwrap().rules;
    let document = Json::Object(rules[0].document().clone());
    assert_eq!(document["question"]["queries"], pack[0]["queries"]);
    assert_eq!(
        document["operations"][0]["when"]["condition"],
        json!(["OR", ["queries.query0.total", ">", 0]])
    );
    assert_eq!(document["operations"][0]["actions"][0]["targetValue"], "HIGH");
    assert_eq!((&document["pollingInterval"], &document["title"]), (&json!("ONE_DAY"), &json!("kept")));
    assert!(document.get("queries").is_none() && document.get("alertLevel").is_none());
    let second = Json::Object(rules[1].document().clone());
    assert_eq!(
        second["operations"][0]["when"]["condition"],
        json!(["OR", ["queries.a.total", ">", 0], ["queries.query1.total", ">", 0]])
    );
    assert_eq!(second["operations"][0]["actions"][0]["targetValue"], "CRITICAL");
}

#[test]
fn an_export_holds_what_jupiterone_takes_and_says_what_it_leaves_out() {
    let ours = json!({ "name": "c", "change": { "what": "team" }, "subject": { "key": ["id"] } });
    let reach = json!({ "name": "a", "question": { "queries": [{ "query": "FIND User THAT accesses heroku_application" }] } });
    let with_subject = json!({ "name": "s", "subject": { "key": ["id"] }, "question": { "queries": [{ "query": "FIND User" }] } });
    let rules: Vec<Instance> = [full(), ours, reach, with_subject]
        .iter()
        .map(|document| Instance::read(document).unwrap())
        .collect();
    let Exported { document, left_out } = export(&rules);
    assert_eq!(told(&left_out).len(), 2);
    assert!(told(&left_out)[0].starts_with("c: JupiterOne cannot look for changes"), "{left_out:?}");
    let mut wanted = full();
    for name in ["accountId", "latest", "deleted", "latestAlertId", "state"] {
        wanted.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(document[0], wanted);
    assert_eq!(document[1], json!({ "name": "s", "question": { "queries": [{ "query": "FIND User" }] } }));
}

/// Damages a document: takes something away, or puts something else in its place.
fn damaged(chance: &mut Chance, json: &Json) -> Json {
    let others = [json!(null), json!(1), json!("{{ x"), json!([]), json!({}), json!(["AND"]), json!(true)];
    if chance.one_in(12) {
        return chance.one_of(&others).clone();
    }
    match json {
        Json::Array(items) if !items.is_empty() => {
            let mut items = items.clone();
            let at = chance.below(items.len());
            items[at] = damaged(chance, &items[at]);
            Json::Array(items)
        }
        Json::Object(members) if !members.is_empty() => {
            let mut members = members.clone();
            let names: Vec<String> = members.keys().cloned().collect();
            let name = chance.one_of(&names).clone();
            if chance.one_in(8) {
                members.remove(&name);
            } else {
                let value = damaged(chance, &members[&name]);
                members.insert(name, value);
            }
            Json::Object(members)
        }
        Json::String(text) => {
            let letters: Vec<char> = text.chars().collect();
            let cut = letters.iter().take(chance.below(letters.len() + 1)).collect::<String>();
            Json::String(cut)
        }
        _ => chance.one_of(&others).clone(),
    }
}

#[test]
fn a_damaged_document_is_read_or_refused_and_what_is_read_comes_back() {
    let mut chance = Chance::new(seed("METSUKE_FUZZ_SEED"));
    let ours = json!({ "name": "c", "change": { "what": ["grant", "team"], "change": "added", "when": ["change.id", "=", "{{1}}"] }, "subject": { "from": ["changes"], "key": ["id"], "name": "{{item.id}}", "levels": { "a": "LOW" } } });
    let mut read = 0;
    for _ in 0..2_000 {
        let mut document = if chance.one_in(4) { ours.clone() } else { full() };
        for _ in 0..=chance.below(3) {
            document = damaged(&mut chance, &document);
        }
        match import(&document.to_string()) {
            Ok(imported) => {
                read += 1;
                for rule in imported.rules {
                    let again = Instance::read(&Json::Object(rule.document().clone())).unwrap();
                    assert_eq!(again, rule);
                }
            }
            Err(mistakes) => assert!(!mistakes.is_empty()),
        }
    }
    assert!(read > 100, "{read}");
}
