//! A roster as a CSV file with a heading.
//!
//! | column | means |
//! |---|---|
//! | `email`, `emails` | addresses, several with `;` between, the most used one first |
//! | `name`, `first_name`, `last_name` | the name; without `name` it is the other two |
//! | `username`, `aliases` | other names of accounts, aliases with `;` between |
//! | `title`, `department`, `manager_email`, `employee_type` | as the company has it |
//! | `employee_id` | what tells people apart; without it the first address does |
//! | `status` or `active` | whether they work here; nothing means yes |
//!
//! Headings may be in any case, with blanks or hyphens for `_`, and some have other names too. Columns that mean nothing
//! here are left out and named.
//!
//! Invariant: no row is skipped, and one with more or fewer fields than the heading is wrong.

use csv::{ByteRecord, ReaderBuilder};

use super::Parsed;
use super::row::{Draft, judge, told};
use crate::EngineError;

/// What a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Email,
    Emails,
    Name,
    FirstName,
    LastName,
    Title,
    Department,
    ManagerEmail,
    EmployeeId,
    EmployeeType,
    Active,
    Username,
    Aliases,
}

/// The names of columns, the documented one of each first.
const COLUMNS: &[(Column, &[&str])] = &[
    (Column::Email, &["email", "e_mail", "mail", "email_address", "work_email", "primary_email"]),
    (Column::Emails, &["emails", "other_emails", "secondary_emails"]),
    (Column::Name, &["name", "full_name", "fullname", "display_name", "displayname"]),
    (Column::FirstName, &["first_name", "firstname", "given_name", "givenname"]),
    (Column::LastName, &["last_name", "lastname", "family_name", "familyname", "surname"]),
    (Column::Title, &["title", "job_title", "jobtitle"]),
    (Column::Department, &["department", "dept"]),
    (Column::ManagerEmail, &["manager_email", "manageremail", "manager"]),
    (Column::EmployeeId, &["employee_id", "employeeid", "employee_number", "employeenumber", "id"]),
    (Column::EmployeeType, &["employee_type", "employeetype", "employment_type", "user_type"]),
    (Column::Active, &["status", "active", "employment_status"]),
    (Column::Username, &["username", "user_name", "login"]),
    (Column::Aliases, &["aliases", "alias"]),
];

const ACTIVE: &[&str] =
    &["", "1", "active", "current", "employed", "enabled", "leave", "on leave", "true", "y", "yes"];
const NOT_ACTIVE: &[&str] = &[
    "0",
    "deprovisioned",
    "disabled",
    "false",
    "former",
    "inactive",
    "left",
    "n",
    "no",
    "resigned",
    "suspended",
    "terminated",
];

/// Reads the file.
pub(super) fn parse(roster: &str, bytes: &[u8]) -> Result<Parsed, EngineError> {
    let refuse = |reason: String| EngineError::Roster { reason };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(bytes);
    let mut records = reader.byte_records();
    let heading = match records.next() {
        Some(Ok(heading)) => heading,
        Some(Err(error)) => return Err(refuse(error.to_string())),
        None => return Err(refuse("it is empty".into())),
    };
    let (columns, ignored) = meanings(&heading).map_err(refuse)?;
    let rows = records.map(|record| match record {
        Ok(record) => {
            let line = record.position().map_or(0, csv::Position::line);
            (format!("line {line}"), draft(&columns, &record))
        }
        Err(error) => ("the file".to_owned(), Err(error.to_string())),
    });
    Ok(Parsed { ignored, ..judge(roster, rows)? })
}

/// What each column of the heading means, and the names of those that mean nothing.
fn meanings(heading: &ByteRecord) -> Result<(Vec<Option<Column>>, Vec<String>), String> {
    let (mut columns, mut ignored) = (Vec::new(), Vec::new());
    for name in heading {
        let name = std::str::from_utf8(name).map_err(|_| "its heading is not UTF-8".to_owned())?.trim();
        let plain = name.to_lowercase().replace([' ', '-'], "_");
        let found =
            COLUMNS.iter().find(|(_, names)| names.contains(&plain.as_str())).map(|(column, _)| *column);
        if found.is_some() && columns.contains(&found) {
            return Err(format!("a second column of its heading means the same: `{}`", told(name)));
        }
        if found.is_none() {
            ignored.push(told(name));
        }
        columns.push(found);
    }
    let known = [Column::EmployeeId, Column::Email, Column::Emails, Column::Username];
    if !known.iter().any(|column| columns.contains(&Some(*column))) {
        return Err("its heading has none of the columns employee_id, email, emails and username, \
                    or does not separate them with commas"
            .into());
    }
    Ok((columns, ignored))
}

fn draft(columns: &[Option<Column>], record: &ByteRecord) -> Result<Draft, String> {
    if record.len() != columns.len() {
        return Err(format!("it has {} fields, and the heading {}", record.len(), columns.len()));
    }
    let mut draft = Draft { active: true, ..Draft::default() };
    let mut others = Vec::new();
    for (column, value) in columns.iter().zip(record) {
        let value = std::str::from_utf8(value).map_err(|_| "it is not UTF-8".to_owned())?;
        if value.contains(['\n', '\r']) {
            return Err(format!(
                "a field goes on over the end of the line, so a quote may be missing: `{}`",
                told(value)
            ));
        }
        let Some(column) = column else { continue };
        let text = || Some(value.to_owned());
        let list = || value.split(';').map(str::to_owned);
        match column {
            Column::Email => draft.emails.extend(list()),
            Column::Emails => others.extend(list()),
            Column::Name => draft.name = text(),
            Column::FirstName => draft.first_name = text(),
            Column::LastName => draft.last_name = text(),
            Column::Title => draft.title = text(),
            Column::Department => draft.department = text(),
            Column::ManagerEmail => draft.manager_email = text(),
            Column::EmployeeId => draft.employee_id = text(),
            Column::EmployeeType => draft.employee_type = text(),
            Column::Active => draft.active = is_active(value)?,
            Column::Username => draft.username = text(),
            Column::Aliases => draft.aliases.extend(list()),
        }
    }
    draft.emails.extend(others);
    Ok(draft)
}

fn is_active(value: &str) -> Result<bool, String> {
    let word = value.trim().to_lowercase();
    match (ACTIVE.contains(&word.as_str()), NOT_ACTIVE.contains(&word.as_str())) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(format!("its status is `{}`, which is neither active nor inactive", told(value))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Parsed, EngineError> {
        parse("staff", text.as_bytes())
    }

    fn wrong(text: &str) -> Vec<String> {
        match read(text) {
            Err(EngineError::BadRoster { rows }) => rows.iter().map(ToString::to_string).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_spreadsheets_file_is_read_with_bom_quotes_and_crlf() {
        let text = "\u{feff}Employee ID,E-Mail,Emails,Full Name,Job Title,Dept,Manager Email,Status,Username,Aliases,Floor\r\n\
                    17,Ann@Example.com, a.lee@example.com ;ann@example.com,\"Lee, Ann\",\"The \"\"Lead\"\"\",R&D,Bob@Example.com,Terminated,ALee,Annie;al@example.com;,3\r\n\
                    \r\n";
        let parsed = read(text).unwrap();
        assert_eq!(parsed.ignored, ["Floor"]);
        let ann = &parsed.employees[0];
        assert_eq!((&*ann.key, &*ann.name), ("employee:staff:17", "Lee, Ann"));
        assert_eq!(ann.emails, ["ann@example.com".into(), "a.lee@example.com".into()] as [Box<str>; 2]);
        assert_eq!(ann.aliases, ["annie".into(), "al@example.com".into()] as [Box<str>; 2]);
        assert_eq!(ann.title.as_deref(), Some("The \"Lead\""));
        assert_eq!(ann.manager_email.as_deref(), Some("bob@example.com"));
        assert_eq!((ann.username.as_deref(), ann.active), (Some("alee"), false));
    }

    #[test]
    fn what_is_left_out_is_made_of_the_rest() {
        let parsed =
            read("first_name,last_name,email\nAnn,Lee,Ann@Example.com\n,,bob@example.com\n").unwrap();
        let told: Vec<(&str, &str)> = parsed.employees.iter().map(|one| (&*one.key, &*one.name)).collect();
        let wanted = [
            ("employee:staff:ann@example.com", "Ann Lee"),
            ("employee:staff:bob@example.com", "bob@example.com"),
        ];
        assert_eq!(told, wanted);
        assert!(parsed.employees.iter().all(|employee| employee.active));
    }

    #[test]
    fn every_wrong_row_is_named_with_its_line() {
        let long = "x".repeat(1_001);
        let text = format!(
            "employee_id,email,title,status\n1,ann@example.com,,active\n2,bob,,\n3,cat@example.com,,perhaps\n\
             4,dan@example.com\n1,eve@example.com,,\n,,boss,\n5,f@example.com,{long},\n"
        );
        let wrong = wrong(&text);
        assert_eq!(wrong[0], "line 3: `bob` is no e-mail address");
        assert_eq!(wrong[1], "line 4: its status is `perhaps`, which is neither active nor inactive");
        assert_eq!(wrong[2], "line 5: it has 2 fields, and the heading 4");
        assert_eq!(wrong[3], "line 6: it is about the same person as line 2: `1`");
        assert_eq!(wrong[4], "line 7: it has neither an id, an e-mail address nor a user name");
        assert!(
            wrong[5].starts_with("line 8: its title is longer than 1000 bytes: `xxx") && wrong[5].len() < 150
        );
        assert_eq!(wrong.len(), 6);
    }

    #[test]
    fn a_missing_quote_swallows_nobody() {
        let wrong = wrong("email,title\nann@example.com,\"Lead\nbob@example.com,Dev\n");
        assert!(wrong[0].starts_with("line 2: a field goes on over the end"), "{wrong:?}");
    }

    #[test]
    fn bytes_that_are_no_text_are_named() {
        let error = parse("staff", b"email\nann@example.com\nb\xff@example.com\n").unwrap_err();
        assert!(error.to_string().contains("line 3: it is not UTF-8"), "{error}");
    }

    #[test]
    fn a_heading_that_says_too_little_or_twice_the_same_is_refused() {
        for text in
            ["", "name,title\nAnn,x\n", "email;name\na@b.example;Ann\n", "email,E-Mail\n,\n", "\u{1b}[2J\n"]
        {
            assert!(matches!(read(text), Err(EngineError::Roster { .. })), "{text:?}");
        }
    }
}
