//! The objects of an estate and their columns: the one catalogue that store, lists and change log share.
//!
//! Who may do what with these objects is not here (see [`access`](crate::access)).
//!
//! Invariant: a record's cells stand in the order of its kind's [`Column`]s.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{HerokuId, Moment};

/// What sort of object a record is; the number is what a database stores and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Kind {
    /// A person with a Heroku account.
    User = 1,
    /// A Heroku Enterprise account.
    EnterpriseAccount = 2,
    /// A team, of an Enterprise account or standing alone.
    Team = 3,
    /// An app.
    App = 4,
    /// A private space.
    Space = 5,
    /// An add-on.
    AddOn = 6,
    /// An add-on's attachment to an app.
    Attachment = 7,
    /// A pipeline.
    Pipeline = 8,
    /// An app's place in a pipeline.
    Coupling = 9,
    /// A team invitation that nobody has accepted yet.
    Invitation = 10,
    /// A team member row that names no user.
    UnresolvedMember = 11,
    /// An authorization of the account whose token reads: it stands for a token.
    ///
    /// 12 is what stands in the ids of people of rosters, who are no objects of Heroku.
    Authorization = 13,
    /// An SSH key of the account whose token reads.
    Key = 14,
}

impl Kind {
    /// Every kind, in an order in which what is referred to comes before what refers to it.
    pub const ALL: [Self; 13] = [
        Self::User,
        Self::EnterpriseAccount,
        Self::Team,
        Self::Space,
        Self::App,
        Self::AddOn,
        Self::Attachment,
        Self::Pipeline,
        Self::Coupling,
        Self::Invitation,
        Self::UnresolvedMember,
        Self::Authorization,
        Self::Key,
    ];

    /// The kind with this stored number.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.number() == number)
    }

    /// The number that a database stores.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The table that holds the kind's own columns.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Self::User => "person",
            Self::EnterpriseAccount => "enterprise_account",
            Self::Team => "team",
            Self::App => "app",
            Self::Space => "space",
            Self::AddOn => "addon",
            Self::Attachment => "attachment",
            Self::Pipeline => "pipeline",
            Self::Coupling => "coupling",
            Self::Invitation => "invitation",
            Self::UnresolvedMember => "unresolved_member",
            // Both engines would have to quote the bare words.
            Self::Authorization => "account_authorization",
            Self::Key => "account_key",
        }
    }

    /// The kind's name as the command line and the change log print it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Authorization => "authorization",
            Self::Key => "key",
            other => other.table(),
        }
    }

    /// The columns of the kind's table, in the order of a record's cells.
    #[must_use]
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::User => User::COLUMNS,
            Self::EnterpriseAccount => EnterpriseAccount::COLUMNS,
            Self::Team => Team::COLUMNS,
            Self::App => App::COLUMNS,
            Self::Space => Space::COLUMNS,
            Self::AddOn => AddOn::COLUMNS,
            Self::Attachment => Attachment::COLUMNS,
            Self::Pipeline => Pipeline::COLUMNS,
            Self::Coupling => Coupling::COLUMNS,
            Self::Invitation => Invitation::COLUMNS,
            Self::UnresolvedMember => UnresolvedMember::COLUMNS,
            Self::Authorization => Authorization::COLUMNS,
            Self::Key => Key::COLUMNS,
        }
    }
}

/// One column of a kind's table, which is one property of its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// The property's name, as Heroku spells it where Heroku has it.
    pub name: &'static str,
    /// What the column holds.
    pub column_type: ColumnType,
}

/// What a column holds; every column may also be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Text as Heroku sent it.
    Text,
    /// A whole number.
    Number,
    /// Yes or no.
    Flag,
    /// A point in time.
    Time,
    /// Another object of the estate, by Heroku's id.
    Reference(Kind),
}

/// One property's value, borrowed from a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Nothing: Heroku sent null, or nothing at all.
    Null,
    /// A number, a flag (0 or 1) or a time (microseconds).
    Int(i64),
    /// A text.
    Text(&'a str),
    /// Another object.
    Reference(&'a HerokuId),
}

/// One property's value, owned: what a table's row gives back.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A number, a flag (0 or 1) or a time (microseconds).
    Int(i64),
    /// A text.
    Text(Box<str>),
    /// Another object.
    Reference(HerokuId),
}

/// A typed object that a table can hold.
pub trait Record: Sized {
    /// The kind of the object.
    const KIND: Kind;

    /// Heroku's id of the object.
    fn id(&self) -> &HerokuId;

    /// The properties that have no column of their own, as one canonical JSON object.
    fn properties(&self) -> &Arc<str>;

    /// The values, one for each of the kind's columns.
    fn cells(&self) -> Vec<Cell<'_>>;

    /// Builds the object from its values; a value of the wrong type counts as absent.
    fn from_values(id: HerokuId, values: Vec<Value>, properties: Arc<str>) -> Self;
}

/// A field's way into a cell and back.
trait Field: Sized {
    fn cell(&self) -> Cell<'_>;
    fn read(value: Value) -> Self;
}

impl Field for Option<Box<str>> {
    fn cell(&self) -> Cell<'_> {
        self.as_deref().map_or(Cell::Null, Cell::Text)
    }
    fn read(value: Value) -> Self {
        if let Value::Text(text) = value { Some(text) } else { None }
    }
}

impl Field for Option<i64> {
    fn cell(&self) -> Cell<'_> {
        self.map_or(Cell::Null, Cell::Int)
    }
    fn read(value: Value) -> Self {
        if let Value::Int(number) = value { Some(number) } else { None }
    }
}

impl Field for Option<bool> {
    fn cell(&self) -> Cell<'_> {
        self.map_or(Cell::Null, |flag| Cell::Int(i64::from(flag)))
    }
    fn read(value: Value) -> Self {
        if let Value::Int(number) = value { Some(number != 0) } else { None }
    }
}

impl Field for Option<Moment> {
    fn cell(&self) -> Cell<'_> {
        self.map_or(Cell::Null, |moment| Cell::Int(moment.0))
    }
    fn read(value: Value) -> Self {
        if let Value::Int(number) = value { Some(Moment(number)) } else { None }
    }
}

impl Field for Option<HerokuId> {
    fn cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Null, Cell::Reference)
    }
    fn read(value: Value) -> Self {
        if let Value::Reference(id) = value { Some(id) } else { None }
    }
}

/// Declares a record: a struct, its columns and the way between them.
///
/// `App { name: Option<Box<str>> = ColumnType::Text }` becomes `struct App { id, name, properties }`, a
/// `COLUMNS` with one entry, and a [`Record`] whose only cell is the name.
macro_rules! records {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident ($text:literal): $type:ty = $column:expr),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name {
            /// Heroku's id.
            pub id: HerokuId,
            $($(#[$field_doc])* pub $field: $type,)+
            /// What Heroku sent beyond these columns: one canonical JSON object, shared between equal ones.
            pub properties: Arc<str>,
        }

        impl $name {
            const COLUMNS: &'static [Column] = &[$(Column { name: $text, column_type: $column }),+];

            /// An object of which nothing but its id is known.
            #[must_use]
            pub fn new(id: HerokuId) -> Self {
                Self { id, $($field: None,)+ properties: "{}".into() }
            }
        }

        impl Record for $name {
            const KIND: Kind = Kind::$name;
            fn id(&self) -> &HerokuId {
                &self.id
            }
            fn properties(&self) -> &Arc<str> {
                &self.properties
            }
            fn cells(&self) -> Vec<Cell<'_>> {
                vec![$(self.$field.cell()),+]
            }
            fn from_values(id: HerokuId, values: Vec<Value>, properties: Arc<str>) -> Self {
                let mut values = values.into_iter();
                Self { id, $($field: Field::read(values.next().unwrap_or_default()),)+ properties }
            }
        }
    )+};
}

type Text = Option<Box<str>>;

records! {
    /// A person with a Heroku account; the same id in every team and Enterprise account.
    User {
        /// The e-mail address as given; compare it lower-cased.
        email("email"): Text = ColumnType::Text,
        /// The name the person chose.
        name("name"): Text = ColumnType::Text,
        /// Signs in through an identity provider.
        federated("federated"): Option<bool> = ColumnType::Flag,
        /// Has a second factor at Heroku (false for federated users: their provider does it).
        two_factor("two_factor_authentication"): Option<bool> = ColumnType::Flag,
        /// The last sign-in; only known for Enterprise members and the own account.
        last_login("last_login"): Option<Moment> = ColumnType::Time,
        /// The account whose token read this estate.
        own_account("own_account"): Option<bool> = ColumnType::Flag,
    }
    /// A Heroku Enterprise account.
    EnterpriseAccount {
        /// The account's name.
        name("name"): Text = ColumnType::Text,
        /// When it was made.
        created_at("created_at"): Option<Moment> = ColumnType::Time,
        /// When Heroku last changed the row.
        updated_at("updated_at"): Option<Moment> = ColumnType::Time,
    }
    /// A team.
    Team {
        /// The team's name, unique on Heroku.
        name("name"): Text = ColumnType::Text,
        /// `enterprise` or `team`.
        team_type("type"): Text = ColumnType::Text,
        /// The Enterprise account that the team belongs to.
        enterprise_account("enterprise_account"): Option<HerokuId> = ColumnType::Reference(Kind::EnterpriseAccount),
        /// A list of teams named it; otherwise it is known only from an app that belongs to it.
        listed("listed"): Option<bool> = ColumnType::Flag,
        /// When it was made.
        created_at("created_at"): Option<Moment> = ColumnType::Time,
        /// When Heroku last changed the row.
        updated_at("updated_at"): Option<Moment> = ColumnType::Time,
    }
    /// An app, of a team or of a person.
    App {
        /// The app's name, unique on Heroku.
        name("name"): Text = ColumnType::Text,
        /// The team that owns it; empty for a personal app.
        team("team"): Option<HerokuId> = ColumnType::Reference(Kind::Team),
        /// The person who owns it; empty for a team's app.
        owner("owner"): Option<HerokuId> = ColumnType::Reference(Kind::User),
        /// The private space it runs in.
        space("space"): Option<HerokuId> = ColumnType::Reference(Kind::Space),
        /// Locked apps give a team's plain members nothing.
        locked("locked"): Option<bool> = ColumnType::Flag,
        /// In maintenance mode.
        maintenance("maintenance"): Option<bool> = ColumnType::Flag,
        /// When it was archived.
        archived_at("archived_at"): Option<Moment> = ColumnType::Time,
        /// When it was made.
        created_at("created_at"): Option<Moment> = ColumnType::Time,
        /// When it was last deployed.
        released_at("released_at"): Option<Moment> = ColumnType::Time,
        /// When Heroku last changed the row.
        updated_at("updated_at"): Option<Moment> = ColumnType::Time,
        /// Bytes of its repository.
        repo_size("repo_size"): Option<i64> = ColumnType::Number,
        /// Bytes of its slug.
        slug_size("slug_size"): Option<i64> = ColumnType::Number,
        /// Its address.
        web_url("web_url"): Text = ColumnType::Text,
    }
    /// A private space.
    Space {
        /// The space's name.
        name("name"): Text = ColumnType::Text,
        /// The team that owns it.
        team("team"): Option<HerokuId> = ColumnType::Reference(Kind::Team),
        /// `allocating`, `allocated` or `deleting`.
        state("state"): Text = ColumnType::Text,
        /// When it was made.
        created_at("created_at"): Option<Moment> = ColumnType::Time,
        /// When Heroku last changed the row.
        updated_at("updated_at"): Option<Moment> = ColumnType::Time,
    }
    /// An add-on, owned by the app that it was made for.
    AddOn {
        /// The add-on's name, unique on Heroku.
        name("name"): Text = ColumnType::Text,
        /// The app that it was made for.
        app("app"): Option<HerokuId> = ColumnType::Reference(Kind::App),
        /// The service, such as `heroku-postgresql`.
        service("addon_service"): Text = ColumnType::Text,
        /// The provider's own id of it.
        provider_id("provider_id"): Text = ColumnType::Text,
        /// Its dashboard's address.
        web_url("web_url"): Text = ColumnType::Text,
        /// When it was made.
        created_at("created_at"): Option<Moment> = ColumnType::Time,
        /// When Heroku last changed the row.
        updated_at("updated_at"): Option<Moment> = ColumnType::Time,
    }
    /// An add-on's attachment to an app: whoever reads the app's config vars reaches the add-on.
    Attachment {
        /// The attachment's name, which prefixes its config vars.
        name("name"): Text = ColumnType::Text,
        /// The add-on.
        addon("addon"): Option<HerokuId> = ColumnType::Reference(Kind::AddOn),
        /// The app that it is attached to.
        app("app"): Option<HerokuId> = ColumnType::Reference(Kind::App),
    }
    /// A pipeline.
    Pipeline {
        /// The pipeline's name.
        name("name"): Text = ColumnType::Text,
        /// The id of its owner, a team or a user.
        owner("owner"): Text = ColumnType::Text,
        /// `team` or `user`.
        owner_type("owner_type"): Text = ColumnType::Text,
    }
    /// An app's place in a pipeline.
    Coupling {
        /// The app.
        app("app"): Option<HerokuId> = ColumnType::Reference(Kind::App),
        /// The pipeline.
        pipeline("pipeline"): Option<HerokuId> = ColumnType::Reference(Kind::Pipeline),
        /// `test`, `review`, `development`, `staging` or `production`.
        stage("stage"): Text = ColumnType::Text,
    }
    /// An invitation to a team that nobody has accepted yet: no access, but announced access.
    Invitation {
        /// The address that was invited.
        email("email"): Text = ColumnType::Text,
        /// The team.
        team("team"): Option<HerokuId> = ColumnType::Reference(Kind::Team),
        /// The role that it offers; empty where Heroku sent null.
        role("role"): Text = ColumnType::Text,
        /// The person who invited.
        invited_by("invited_by"): Option<HerokuId> = ColumnType::Reference(Kind::User),
        /// When it was sent.
        created_at("created_at"): Option<Moment> = ColumnType::Time,
        /// When Heroku last changed the row.
        updated_at("updated_at"): Option<Moment> = ColumnType::Time,
    }
    /// A team member row without a user: someone holds a role, and Heroku does not say who.
    UnresolvedMember {
        /// The address in the row.
        email("email"): Text = ColumnType::Text,
        /// The team.
        team("team"): Option<HerokuId> = ColumnType::Reference(Kind::Team),
        /// The role in the row.
        role("role"): Text = ColumnType::Text,
    }
    /// An authorization of the account whose token reads; of its token nothing is kept.
    Authorization {
        /// What its maker called it.
        name("name"): Text = ColumnType::Text,
        /// The account.
        account("account"): Option<HerokuId> = ColumnType::Reference(Kind::User),
        /// Its scopes in the order of their words, separated by blanks.
        scope("scope"): Text = ColumnType::Text,
        /// It may do all that the account may.
        global("global"): Option<bool> = ColumnType::Flag,
        /// Its token has no end.
        never_expires("never_expires"): Option<bool> = ColumnType::Flag,
        /// Its token is the one that read this estate; empty where Heroku did not tell.
        own_token("own_token"): Option<bool> = ColumnType::Flag,
        /// The name of the program that it was made for; empty for one made by hand.
        client("client"): Text = ColumnType::Text,
        /// When it was made.
        created_at("created_at"): Option<Moment> = ColumnType::Time,
        /// When Heroku last changed the row.
        updated_at("updated_at"): Option<Moment> = ColumnType::Time,
    }
    /// An SSH key of the account whose token reads.
    Key {
        /// The comment in it, often where it was made.
        name("name"): Text = ColumnType::Text,
        /// The account.
        account("account"): Option<HerokuId> = ColumnType::Reference(Kind::User),
        /// Its fingerprint.
        fingerprint("fingerprint"): Text = ColumnType::Text,
        /// When it was put there.
        created_at("created_at"): Option<Moment> = ColumnType::Time,
        /// When Heroku last changed the row.
        updated_at("updated_at"): Option<Moment> = ColumnType::Time,
    }
}
