//! The app row, in the two shapes that Heroku gives it.
//!
//! Not who may use an app: `access`.
//!
//! Invariant: `team` and `organization` always say the same.

use serde::Serialize;

use super::{Mail, Named, Row, Text};
use crate::range::Field;
use crate::value::{Id, Stamp};

/// `GET /apps` and `GET /teams/{t}/apps`, which differ less than the schema says.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the row has them")]
pub(crate) struct App<'a> {
    pub(crate) acm: bool,
    pub(crate) archived_at: Option<Stamp>,
    pub(crate) buildpack_provided_description: Option<&'static str>,
    pub(crate) build_stack: Named<'a>,
    pub(crate) created_at: Stamp,
    pub(crate) id: Id,
    pub(crate) git_url: Text<'a>,
    pub(crate) maintenance: bool,
    pub(crate) name: Text<'a>,
    pub(crate) owner: Option<Mail<'a>>,
    pub(crate) region: Named<'a>,
    pub(crate) organization: Option<Named<'a>>,
    pub(crate) team: Option<Named<'a>>,
    pub(crate) space: Option<AppSpace<'a>>,
    pub(crate) internal_routing: Option<bool>,
    pub(crate) released_at: Option<Stamp>,
    pub(crate) repo_size: Option<u64>,
    pub(crate) slug_size: Option<u64>,
    pub(crate) stack: Named<'a>,
    pub(crate) updated_at: Stamp,
    pub(crate) web_url: Option<Text<'a>>,
    pub(crate) generation: Generation<'a>,
    pub(crate) joined: bool,
    pub(crate) legacy_id: Text<'a>,
    pub(crate) locked: bool,
}

/// The platform an app runs on: an object, or only its name under the `3.sdk` variant.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Generation<'a> {
    Object(Named<'a>),
    Word(&'static str),
}

/// `{id, name, shield}`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct AppSpace<'a> {
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
    pub(crate) shield: bool,
}

/// The id of a stack that the recordings show.
pub(crate) const STACK: Id = Id(0x69be_e368_352b_4bd0_9b7c_819d_860a_2588);
/// The id of the region `us` that the recordings show.
pub(crate) const REGION: Id = Id(0x59ac_cabd_516d_4f0e_83e6_6e37_5770_1145);
/// The id of the generation `cedar`, made up.
pub(crate) const CEDAR: Id = Id(0x1ab2_5f2c_6c5f_4c8f_9d0c_7d0f_6f2f_71aa);

/// What an app row is made of before the constant parts are added.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "the row has them")]
pub(crate) struct AppParts<'a> {
    pub(crate) id: Id,
    pub(crate) name: Text<'a>,
    pub(crate) owner: Option<Mail<'a>>,
    pub(crate) team: Option<Named<'a>>,
    pub(crate) space: Option<AppSpace<'a>>,
    pub(crate) created_at: Stamp,
    pub(crate) updated_at: Stamp,
    pub(crate) archived_at: Option<Stamp>,
    pub(crate) locked: bool,
    pub(crate) joined: bool,
    pub(crate) plain: bool,
    pub(crate) sdk: bool,
}

impl<'a> AppParts<'a> {
    /// The whole row. `plain` apps have never been released and so lack what a release brings.
    pub(crate) fn row(self) -> App<'a> {
        let salt = u64::try_from(self.id.0 & 0xff_ffff).unwrap_or(0);
        let generation = if self.sdk {
            Generation::Word("cedar")
        } else {
            Generation::Object(Named { id: CEDAR, name: "cedar".into() })
        };
        App {
            acm: !self.plain,
            archived_at: self.archived_at,
            buildpack_provided_description: match salt % 4 {
                0 => None,
                1 => Some("Ruby"),
                2 => Some("Python"),
                _ => Some("Node.js"),
            },
            build_stack: Named { id: STACK, name: "heroku-24".into() },
            created_at: self.created_at,
            id: self.id,
            git_url: format!("https://git.heroku.com/{}.git", self.name).into(),
            maintenance: salt.is_multiple_of(61),
            owner: self.owner,
            region: Named { id: REGION, name: "us".into() },
            organization: self.team.clone(),
            team: self.team,
            internal_routing: self.space.as_ref().map(|_| false),
            space: self.space,
            released_at: (!self.plain).then_some(self.updated_at),
            repo_size: None,
            slug_size: (!self.plain).then_some(20_000_000 + salt),
            stack: Named { id: STACK, name: "heroku-24".into() },
            updated_at: self.updated_at,
            web_url: (!self.plain).then(|| format!("https://{}.herokuapp.com/", self.name).into()),
            name: self.name,
            generation,
            joined: self.joined,
            legacy_id: format!("app{salt}@heroku.com").into(),
            locked: self.locked,
        }
    }
}

impl Row for App<'_> {
    fn id(&self) -> Id {
        self.id
    }
    fn updated(&self) -> Option<Stamp> {
        Some(self.updated_at)
    }
    fn text_key(&self, field: Field) -> String {
        if field == Field::Name { self.name.to_string() } else { self.updated_at.to_string() }
    }
}
