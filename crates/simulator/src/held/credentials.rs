//! What lets programs in as the caller: authorizations with their tokens, and SSH keys.
//!
//! Not the tokens that the simulator accepts (`token`): those of other authorizations open nothing here.
//!
//! Invariant: the first authorization is the one whose token asks.

use super::World;
use crate::call::Call;
use crate::catalogue::{id_from, id_of};
use crate::page::Answer;
use crate::refusal::Refusal;
use crate::routes::Route;
use crate::value::{EPOCH, Id, Stamp, fingerprint};
use crate::wire;

/// The caller's authorizations but for the one in use, and the caller's keys.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    authorizations: Vec<Authorization>,
    keys: Vec<Key>,
}

#[derive(Clone, Debug)]
struct Authorization {
    id: Id,
    description: String,
    /// Space separated.
    scope: String,
    expires_in: Option<u32>,
    created: Stamp,
}

#[derive(Clone, Debug)]
struct Key {
    id: Id,
    comment: String,
    created: Stamp,
}

/// Thirty days, in seconds.
const MONTH: u32 = 2_592_000;

impl Default for Credentials {
    /// A build server's authorization of narrow scope that ends, and one key.
    fn default() -> Self {
        let authorization = Authorization {
            id: id_of("authorization", "continuous integration"),
            description: "continuous integration".to_owned(),
            scope: "write-protected".to_owned(),
            expires_in: Some(MONTH),
            created: EPOCH,
        };
        let key = Key { id: id_of("key", "laptop"), comment: "laptop".to_owned(), created: EPOCH };
        Self { authorizations: vec![authorization], keys: vec![key] }
    }
}

impl Credentials {
    /// The answer to a call for either list.
    pub(crate) fn answer(&self, call: &Call, (user, email): (Id, &str)) -> Result<Answer, Refusal> {
        if call.route == Route::Keys {
            return Answer::whole(&self.keys.iter().map(|key| key.row(email)).collect::<Vec<_>>());
        }
        let (token, scope) = &call.token;
        let own = Authorization {
            id: id_of("authorization", token),
            description: "metsuke".to_owned(),
            scope: scope.clone(),
            expires_in: None,
            created: EPOCH,
        };
        let others =
            self.authorizations.iter().map(|row| (row, format!("HRKU-{}", id_from("secret", row.id))));
        let rows = std::iter::once((&own, token.clone())).chain(others);
        Answer::whole(&rows.map(|(row, token)| row.row(token, (user, email))).collect::<Vec<_>>())
    }
}

impl Authorization {
    fn row<'a>(&'a self, token: String, (user, email): (Id, &'a str)) -> wire::Authorization<'a> {
        wire::Authorization {
            access_token: wire::Token {
                expires_in: self.expires_in,
                id: id_from("token", self.id),
                token: token.into(),
            },
            client: None,
            created_at: self.created,
            description: self.description.as_str().into(),
            grant: None,
            id: self.id,
            refresh_token: None,
            scope: self.scope.split(' ').collect(),
            session: None,
            updated_at: self.created,
            user: wire::Mail { email: email.into(), id: user },
        }
    }
}

impl Key {
    fn row<'a>(&'a self, email: &'a str) -> wire::Key<'a> {
        let print = format!("{:032x}", fingerprint(self.id.to_string().as_bytes()));
        let pairs: Vec<&str> = (0..16).filter_map(|at| print.get(2 * at..2 * at + 2)).collect();
        wire::Key {
            comment: self.comment.as_str().into(),
            created_at: self.created,
            email: email.into(),
            fingerprint: pairs.join(":").into(),
            id: self.id,
            public_key: format!("ssh-ed25519 AAAA{print} {}", self.comment).into(),
            updated_at: self.created,
        }
    }
}

impl World {
    /// Gives the caller one more authorization, with these scopes; `None` for `expires_in` never ends.
    pub fn add_authorization(&mut self, description: &str, scope: &str, expires_in: Option<u32>) -> Id {
        let (id, created) = (self.chance.id(), self.tick());
        let (description, scope) = (description.to_owned(), scope.to_owned());
        self.credentials.authorizations.push(Authorization { id, description, scope, expires_in, created });
        id
    }

    /// Revokes the caller's authorizations of this description.
    pub fn remove_authorization(&mut self, description: &str) -> bool {
        let before = self.credentials.authorizations.len();
        self.credentials.authorizations.retain(|row| row.description != description);
        self.credentials.authorizations.len() < before
    }

    /// Gives the caller one more SSH key.
    pub fn add_key(&mut self, comment: &str) -> Id {
        let (id, created) = (self.chance.id(), self.tick());
        self.credentials.keys.push(Key { id, comment: comment.to_owned(), created });
        id
    }
}
