//! A roster as a SCIM 2.0 document: a list response, an array of users, or one user.
//!
//! Source: RFC 7643 (users, the enterprise extension), RFC 7644 (list responses). Names of attributes may be in any case.
//!
//! Invariant: a list response that holds fewer people than there are is refused, for it is one page of several.

use serde_json::{Map, Value};

use super::Parsed;
use super::row::{Draft, judge, told};
use crate::EngineError;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

type Object = Map<String, Value>;

/// Reads the document.
pub(super) fn parse(roster: &str, bytes: &[u8]) -> Result<Parsed, EngineError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let document: Value = serde_json::from_slice(bytes)
        .map_err(|error| EngineError::Roster { reason: format!("it is no JSON: {error}") })?;
    let users = users(document).map_err(|reason| EngineError::Roster { reason })?;
    let rows = (1..).zip(users).map(|(number, user): (u64, Value)| {
        let draft = user.as_object().ok_or_else(|| "it is no object".to_owned()).and_then(draft);
        (format!("user {number}"), draft)
    });
    judge(roster, rows)
}

fn users(document: Value) -> Result<Vec<Value>, String> {
    let object = match document {
        Value::Array(users) => return Ok(users),
        Value::Object(object) => object,
        _ => return Err("it is neither a SCIM list response nor a list of users".into()),
    };
    let Some(resources) = get(&object, "Resources") else {
        return match get(&object, "userName") {
            Some(_) => Ok(vec![Value::Object(object)]),
            None => {
                Err("it has neither `Resources` nor `userName`, so it is no SCIM document of users".into())
            }
        };
    };
    let users = resources.as_array().ok_or("its `Resources` is no list")?;
    let total = get(&object, "totalResults").and_then(Value::as_u64);
    if let Some(total) = total.filter(|total| *total != users.len() as u64) {
        return Err(format!(
            "it holds {} of {total} users; put the users of all pages into one list",
            users.len()
        ));
    }
    Ok(users.clone())
}

fn draft(user: &Object) -> Result<Draft, String> {
    let kind = get(user, "meta").and_then(Value::as_object).and_then(|meta| get(meta, "resourceType"));
    if let Some(other) = kind.and_then(Value::as_str).filter(|kind| !kind.eq_ignore_ascii_case("user")) {
        return Err(format!("it is a `{}`, not a user", told(other)));
    }
    let none = Object::new();
    let name = object(user, "name")?.unwrap_or(&none);
    let enterprise = object(user, ENTERPRISE)?.unwrap_or(&none);
    let manager = match get(enterprise, "manager") {
        Some(Value::Object(manager)) => vec![text(manager, "value")?, text(manager, "displayName")?],
        Some(_) => vec![text(enterprise, "manager")?],
        None => Vec::new(),
    };
    Ok(Draft {
        id: text(user, "id")?.or(text(user, "userName")?),
        name: text(user, "displayName")?.or(text(name, "formatted")?),
        first_name: text(name, "givenName")?,
        last_name: text(name, "familyName")?,
        emails: emails(user)?,
        aliases: Vec::new(),
        username: text(user, "userName")?,
        title: text(user, "title")?,
        department: text(enterprise, "department")?,
        manager_email: manager.into_iter().flatten().find(|manager| manager.contains('@')),
        employee_id: text(enterprise, "employeeNumber")?.or(text(user, "externalId")?),
        employee_type: text(user, "userType")?,
        active: flag(user, "active")?.unwrap_or(true),
    })
}

/// The addresses, the primary one first.
fn emails(user: &Object) -> Result<Vec<String>, String> {
    let emails = match get(user, "emails") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(emails)) => emails,
        Some(_) => return Err("its `emails` is no list".into()),
    };
    let (mut first, mut others) = (Vec::new(), Vec::new());
    for email in emails {
        match email {
            Value::String(email) => others.push(email.clone()),
            Value::Object(email) => {
                let list = if flag(email, "primary")? == Some(true) { &mut first } else { &mut others };
                list.extend(text(email, "value")?);
            }
            _ => return Err("one of its `emails` is neither an object nor a text".into()),
        }
    }
    first.append(&mut others);
    Ok(first)
}

fn get<'a>(object: &'a Object, name: &str) -> Option<&'a Value> {
    object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

fn object<'a>(from: &'a Object, name: &str) -> Result<Option<&'a Object>, String> {
    match get(from, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(format!("its `{name}` is no object")),
    }
}

/// A text that says something; numbers count as their digits.
fn text(from: &Object, name: &str) -> Result<Option<String>, String> {
    match get(from, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.trim().is_empty())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(format!("its `{name}` is no text")),
    }
}

/// Yes or no; some servers send it as a text.
fn flag(from: &Object, name: &str) -> Result<Option<bool>, String> {
    match get(from, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(_) => Err(format!("its `{name}` is neither true nor false")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(document: &Value) -> Result<Parsed, EngineError> {
        parse("staff", document.to_string().as_bytes())
    }

    fn ann() -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "id": "2819c223",
            "userName": "Ann@Example.com",
            "name": { "formatted": "Ms. Ann Lee", "givenName": "Ann", "familyName": "Lee" },
            "displayName": "Ann Lee",
            "emails": [
                { "value": "ann@home.example", "type": "home" },
                { "value": "ANN@example.com", "type": "work", "primary": true },
            ],
            "title": "Lead",
            "userType": "Contractor",
            "active": false,
            ENTERPRISE: {
                "employeeNumber": 701_984,
                "department": "R&D",
                "manager": { "value": "26118915", "displayName": "Bob@Example.com" },
            },
            "meta": { "resourceType": "User" },
        })
    }

    #[test]
    fn a_list_response_an_array_and_one_user_say_the_same() {
        let list = json!({ "totalResults": 1, "Resources": [ann()] });
        let parsed = read(&list).unwrap();
        let one = &parsed.employees[0];
        assert_eq!((&*one.key, &*one.name), ("employee:staff:2819c223", "Ann Lee"));
        assert_eq!((one.first_name.as_deref(), one.last_name.as_deref()), (Some("Ann"), Some("Lee")));
        assert_eq!(one.emails, ["ann@example.com".into(), "ann@home.example".into()] as [Box<str>; 2]);
        assert_eq!(one.username.as_deref(), Some("ann@example.com"));
        assert_eq!((one.employee_id.as_deref(), one.department.as_deref()), (Some("701984"), Some("R&D")));
        assert_eq!(one.manager_email.as_deref(), Some("bob@example.com"));
        assert_eq!((one.employee_type.as_deref(), one.active), (Some("Contractor"), false));
        assert_eq!(read(&json!([ann()])).unwrap(), parsed);
        assert_eq!(read(&ann()).unwrap(), parsed);
    }

    #[test]
    fn attributes_in_another_case_and_flags_as_texts_are_understood() {
        let parsed =
            read(&json!([{ "USERNAME": "ann", "Active": "True", "emails": ["a@b.example"] }])).unwrap();
        let one = &parsed.employees[0];
        assert_eq!((&*one.key, &*one.name, one.active), ("employee:staff:ann", "a@b.example", true));
    }

    #[test]
    fn one_page_of_several_is_no_roster() {
        let error = read(&json!({ "totalResults": 2, "Resources": [ann()] })).unwrap_err();
        assert!(error.to_string().contains("1 of 2 users"), "{error}");
        for document in [json!({}), json!("x"), json!({ "Resources": 1 })] {
            assert!(matches!(read(&document), Err(EngineError::Roster { .. })), "{document}");
        }
        assert!(parse("staff", b"{").is_err());
    }

    #[test]
    fn every_wrong_user_is_named() {
        let users = json!([
            ann(), { "userName": ["x"] }, 7, { "displayName": "Nobody" }, ann(),
            { "userName": "g", "meta": { "resourceType": "Group" } }, { "userName": "h", "active": "perhaps" },
        ]);
        let Err(EngineError::BadRoster { rows }) = read(&users) else { panic!() };
        let told: Vec<String> = rows.iter().map(ToString::to_string).collect();
        let wanted = [
            "user 2: its `userName` is no text",
            "user 3: it is no object",
            "user 4: it has neither an id, an e-mail address nor a user name",
            "user 5: it is about the same person as user 1: `2819c223`",
            "user 6: it is a `Group`, not a user",
            "user 7: its `active` is neither true nor false",
        ];
        assert_eq!(told, wanted);
    }
}
