//! The frame of every page: who is there, the way around, which date is looked at, and of which connectors.
//!
//! Invariant: every address that a frame makes carries the date and the connector that somebody has chosen.

use askama::Template;
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use metsuke_engine::desk::{Reading, SingleAsk};
use metsuke_engine::identity::{Operation, Owned, csrf_token};
use metsuke_model::{AsOf, Moment};

use super::asked::{Asked, segment};
use super::assets::ASSETS;
use super::ways::{Group, ways};
use super::words::{Name, When, count};
use crate::answer::Answer;
use crate::call::Call;
use crate::cookies::Cookie;
use crate::error::ApiError;
use crate::place::Place;

/// What a page may do: load what is ours, and send its forms here.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// What every address carries on.
const CARRIED: &[&str] = &["as_of", "connector"];

/// A step of the way to where one is.
#[derive(Clone, Debug)]
pub(crate) struct Crumb {
    pub(crate) name: Name,
    /// Empty for where one is.
    pub(crate) href: String,
}

/// What one can choose from.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) name: Name,
    pub(crate) chosen: bool,
}

/// Which version a page shows, in words.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) name: Name,
    pub(crate) version: i64,
    pub(crate) when: When,
    pub(crate) newest: bool,
    /// Empty where everything was read.
    pub(crate) gaps: String,
    /// Where the gaps are told of.
    pub(crate) href: String,
}

/// The frame of a page.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    pub(crate) path: String,
    pub(crate) groups: Vec<Group>,
    pub(crate) crumbs: Vec<Crumb>,
    pub(crate) who: String,
    pub(crate) role: String,
    /// What a form has to show; empty where nobody is in a session.
    pub(crate) csrf: String,
    pub(crate) theme: String,
    pub(crate) connectors: Vec<Choice>,
    pub(crate) as_of: String,
    pub(crate) past: Option<String>,
    pub(crate) asked: Asked,
    pub(crate) now: Moment,
    at: Option<AsOf>,
    several: bool,
}

impl Frame {
    /// The frame of the page that is asked for.
    pub(crate) async fn of(call: &Call, title: impl Into<String>) -> Result<Self, ApiError> {
        let asked = Asked::of(&call.uri);
        let as_of = asked.get("as_of").unwrap_or_default().to_owned();
        let at = super::routes::as_of(&asked)?;
        let now = call.state.clock.now();
        let mut frame = Self {
            title: title.into(),
            path: call.uri.path().to_owned(),
            groups: Vec::new(),
            crumbs: Vec::new(),
            who: String::new(),
            role: String::new(),
            csrf: call.signed.as_ref().map(|signed| csrf_token(&signed.cookie)).unwrap_or_default(),
            theme: theme(&call.state.place, &call.headers),
            connectors: Vec::new(),
            past: at.map(|at| shown_as_of(at, now)),
            as_of,
            asked,
            now,
            at,
            several: false,
        };
        if let Some(caller) = &call.caller {
            frame.who = caller.person.clone().unwrap_or_else(|| caller.name.clone());
            frame.role = caller.role.to_string();
        }
        frame.groups = ways(&frame, call);
        frame.connectors = frame.choices(call).await?;
        Ok(frame)
    }

    async fn choices(&mut self, call: &Call) -> Result<Vec<Choice>, ApiError> {
        if !self.may(call, Operation::ListConnectors) {
            return Ok(Vec::new());
        }
        let live = call.state.desk.installation().live().await?;
        let chosen = self.asked.get("connector").unwrap_or_default().to_owned();
        self.several = live.len() > 1;
        if !self.several {
            return Ok(Vec::new());
        }
        let choice = |value: String, name: &str| Choice {
            chosen: value == chosen || (!chosen.is_empty() && name == chosen),
            name: Name::new(name),
            value,
        };
        let all = choice(String::new(), "All connectors");
        Ok(std::iter::once(all).chain(live.iter().map(|row| choice(row.id.to_string(), &row.name))).collect())
    }

    /// Whether whoever asks may do an operation.
    #[expect(clippy::unused_self, reason = "templates ask the frame that they have")]
    pub(crate) fn may(&self, call: &Call, operation: Operation) -> bool {
        call.caller.as_ref().is_some_and(|caller| operation.permits(caller, Owned::No).is_ok())
    }

    /// Whether whoever asks may do an operation on what the path names, by role or by owning it.
    pub(crate) async fn may_here(&self, call: &Call, operation: Operation) -> Result<bool, ApiError> {
        let Some(caller) = &call.caller else { return Ok(false) };
        let owned = if operation.asks_for_owner(caller)
            && call.state.desk.owns(caller, operation, &call.path).await?
        {
            Owned::Yes
        } else {
            Owned::No
        };
        Ok(operation.permits(caller, owned).is_ok())
    }

    /// The same at a step below a list.
    pub(crate) fn below(mut self, name: &'static str, path: &str) -> Self {
        let href = self.to(path);
        self.crumbs.push(Crumb { name: Name::new(name), href });
        self
    }

    /// The same, with where one is at the end of the way.
    pub(crate) fn here(mut self, name: &str) -> Self {
        self.crumbs.push(Crumb { name: Name::new(name), href: String::new() });
        self
    }

    /// The version that is looked at.
    pub(crate) const fn at(&self) -> Option<AsOf> {
        self.at
    }

    /// The connector that is looked at.
    pub(crate) fn connector(&self) -> Option<&str> {
        self.asked.get("connector")
    }

    /// What is asked of the object that the path names.
    pub(crate) fn single<'a>(&'a self, object: &'a str) -> SingleAsk<'a> {
        SingleAsk { connector: self.connector(), as_of: self.at, object }
    }

    /// An address of ours, with what every address carries on.
    pub(crate) fn to(&self, path: &str) -> String {
        self.asked.only(CARRIED).at(path)
    }

    /// The address of an object of an estate.
    pub(crate) fn object(&self, list: &str, id: &dyn std::fmt::Display, connector: Option<&str>) -> String {
        let path = format!("/{list}/{}", segment(&id.to_string()));
        let carried = self.asked.only(CARRIED);
        match connector.filter(|_| self.several) {
            Some(connector) => carried.with("connector", connector).at(&path),
            None => carried.at(&path),
        }
    }

    /// What every address carries on, for a form.
    pub(crate) fn carried(&self) -> Vec<(String, String)> {
        self.asked.only(CARRIED).pairs()
    }

    /// What the form of dates keeps.
    pub(crate) fn beside_date(&self) -> Vec<(String, String)> {
        self.asked.without(&["as_of", "cursor"]).pairs()
    }

    /// What the form of connectors keeps.
    pub(crate) fn beside_connector(&self) -> Vec<(String, String)> {
        self.asked.without(&["connector", "cursor"]).pairs()
    }

    /// The same page, as it is now.
    pub(crate) fn back_to_now(&self) -> String {
        self.asked.without(&["as_of", "cursor"]).at(&self.path)
    }

    /// The row that a list begins at.
    pub(crate) fn begins_at(&self) -> usize {
        self.asked.get("from").and_then(|from| from.parse().ok()).unwrap_or_default()
    }

    /// Where the part of a long list begins that is asked for, and the address of the next part; empty at its end.
    pub(crate) fn part(&self, rows: usize, most: usize) -> (usize, String) {
        let from = self.begins_at();
        let next = from.saturating_add(most);
        let more = next < rows;
        let href = more.then(|| self.asked.with("from", &next.to_string()).at(&self.path));
        (from, href.unwrap_or_default())
    }

    /// This very address.
    pub(crate) fn itself(&self) -> String {
        self.asked.at(&self.path)
    }

    /// Which versions are shown.
    pub(crate) fn read(&self, readings: &[Reading]) -> Vec<Read> {
        let several = readings.len() > 1;
        let shown = |reading: &Reading| Read {
            name: if several { Name::new(&reading.name) } else { Name::default() },
            version: reading.version.0,
            when: When::new(reading.at, self.now),
            newest: reading.newest,
            gaps: if reading.gaps == 0 {
                String::new()
            } else {
                count(usize::try_from(reading.gaps).unwrap_or(usize::MAX), "gap", "gaps")
            },
            href: match &reading.connector {
                Some(connector) => self.to(&format!("/connectors/{connector}/versions/{}", reading.version)),
                None => String::new(),
            },
        };
        readings.iter().map(shown).collect()
    }

    /// Where our style sheet is.
    #[expect(clippy::unused_self, reason = "templates ask the frame that they have")]
    pub(crate) fn style(&self) -> &str {
        &ASSETS.style.place
    }

    /// Where our script is.
    #[expect(clippy::unused_self, reason = "templates ask the frame that they have")]
    pub(crate) fn script(&self) -> &str {
        &ASSETS.script.place
    }

    /// Where our picture is.
    #[expect(clippy::unused_self, reason = "templates ask the frame that they have")]
    pub(crate) fn icon(&self) -> &str {
        &ASSETS.icon.place
    }
}

/// The page that is not part of the way around: signing in, or something that went wrong before.
#[derive(Clone, Debug)]
pub(crate) struct Plain {
    pub(crate) theme: String,
}

impl Plain {
    #[expect(clippy::unused_self, reason = "templates ask the frame that they have")]
    pub(crate) fn style(&self) -> &str {
        &ASSETS.style.place
    }

    #[expect(clippy::unused_self, reason = "templates ask the frame that they have")]
    pub(crate) fn icon(&self) -> &str {
        &ASSETS.icon.place
    }
}

fn shown_as_of(at: AsOf, now: Moment) -> String {
    match at {
        AsOf::Version(version) => format!("version {version}"),
        AsOf::Time(moment) => When::new(moment, now).shown,
    }
}

/// The look that somebody has chosen: `light`, `dark`, or nothing for the system's.
pub(crate) fn theme(place: &Place, headers: &HeaderMap) -> String {
    let chosen = Cookie::Theme.plain(place, headers).unwrap_or_default();
    if matches!(chosen.as_str(), "light" | "dark") { chosen } else { String::new() }
}

/// A template as an answer.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Result<Answer, ApiError> {
    let html = template.render().map_err(|error| {
        tracing::error!(%error, "a page cannot be written");
        ApiError::internal()
    })?;
    Ok(Answer::typed(status, "text/html; charset=utf-8", html)
        .with(header::CONTENT_SECURITY_POLICY, POLICY)
        // With no referrer at all, browsers would hide from us where a form comes from.
        .with(HeaderName::from_static("referrer-policy"), "same-origin"))
}
