//! The ids of entitlements and grants, and the `bid:` notation of resources.
//!
//! Whether the thing behind an id exists is not known here.
//!
//! Source: the conventions of the ecosystem's connectors; ids are a contract with C1, which keeps configuration under
//! them. They are plain joins without escaping; Heroku's ids and slugs hold no colon.
//!
//! Invariant: [`entitlement`] and [`grant`] never change for the same input.

use thiserror::Error;

/// The longest id that the ecosystem takes, in bytes.
pub const LONGEST: usize = 1_024;

/// An id that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is no {what}: expected `{shape}`")]
pub struct IdError {
    text: String,
    what: &'static str,
    shape: &'static str,
}

/// A resource: its type's id and its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    /// `user`, `team`, `enterprise_account` or `app`.
    pub resource_type: String,
    /// Heroku's id.
    pub resource: String,
}

impl ResourceKey {
    /// A key of these two.
    #[must_use]
    pub fn new(resource_type: &str, resource: &str) -> Self {
        Self { resource_type: resource_type.to_owned(), resource: resource.to_owned() }
    }
}

/// The id of an entitlement: `<resource type>:<resource>:<slug>`.
#[must_use]
pub fn entitlement(resource: &ResourceKey, slug: &str) -> String {
    format!("{}:{}:{slug}", resource.resource_type, resource.resource)
}

/// The id of a grant: `<entitlement>:<principal type>:<principal>`.
#[must_use]
pub fn grant(entitlement: &str, principal: &ResourceKey) -> String {
    format!("{entitlement}:{}:{}", principal.resource_type, principal.resource)
}

/// Reads the id of an entitlement; what follows the second colon is the slug.
///
/// # Errors
///
/// When a part is missing or empty, or when it is too long.
pub fn parse_entitlement(text: &str) -> Result<(ResourceKey, &str), IdError> {
    let error = || IdError {
        text: shown(text),
        what: "id of an entitlement",
        shape: "<resource type>:<resource>:<entitlement>",
    };
    let mut parts = text.splitn(3, ':');
    let (kind, resource, slug) = (parts.next(), parts.next(), parts.next());
    match (kind, resource, slug) {
        (Some(kind), Some(resource), Some(slug))
            if text.len() <= LONGEST && !kind.is_empty() && !resource.is_empty() && !slug.is_empty() =>
        {
            Ok((ResourceKey::new(kind, resource), slug))
        }
        _ => Err(error()),
    }
}

/// Reads the id of a grant: its entitlement's id and its principal.
///
/// # Errors
///
/// When a part is missing or empty, or when it is too long.
pub fn parse_grant(text: &str) -> Result<(&str, ResourceKey), IdError> {
    let error = || IdError {
        text: shown(text),
        what: "id of a grant",
        shape: "<resource type>:<resource>:<entitlement>:<principal type>:<principal>",
    };
    let (rest, principal) = text.rsplit_once(':').ok_or_else(error)?;
    let (entitlement, kind) = rest.rsplit_once(':').ok_or_else(error)?;
    if text.len() > LONGEST || principal.is_empty() || kind.is_empty() {
        return Err(error());
    }
    parse_entitlement(entitlement).map_err(|_| error())?;
    Ok((entitlement, ResourceKey::new(kind, principal)))
}

/// A resource in the `bid:` notation, with its parent where it has one: `bid:r:[parent type/parent/]type/id`.
#[must_use]
pub fn bid(resource: &ResourceKey, parent: Option<&ResourceKey>) -> String {
    let mut text = String::from("bid:r:");
    for (key, end) in parent.map(|key| (key, "/")).into_iter().chain([(resource, "")]) {
        text.push_str(&escaped(&key.resource_type));
        text.push('/');
        text.push_str(&escaped(&key.resource));
        text.push_str(end);
    }
    text
}

/// Reads a resource in the `bid:` notation: the resource, and its parent where one is named.
///
/// # Errors
///
/// When it is no `bid:r:` of one or two pairs.
pub fn parse_bid(text: &str) -> Result<(ResourceKey, Option<ResourceKey>), IdError> {
    let error = || IdError {
        text: shown(text),
        what: "resource in the bid notation",
        shape: "bid:r:[<parent type>/<parent>/]<type>/<id>",
    };
    let rest = text.strip_prefix("bid:r:").filter(|_| text.len() <= LONGEST).ok_or_else(error)?;
    let parts = unescaped(rest).ok_or_else(error)?;
    if parts.iter().any(String::is_empty) {
        return Err(error());
    }
    match parts.as_slice() {
        [kind, id] => Ok((ResourceKey::new(kind, id), None)),
        [parent_kind, parent, kind, id] => {
            Ok((ResourceKey::new(kind, id), Some(ResourceKey::new(parent_kind, parent))))
        }
        _ => Err(error()),
    }
}

fn escaped(part: &str) -> String {
    let mut text = String::with_capacity(part.len());
    for letter in part.chars() {
        if matches!(letter, '/' | ':' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

/// Splits at slashes that are not escaped; `None` where the text ends in an escape or holds a bare colon.
fn unescaped(text: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '/' => parts.push(String::new()),
            ':' => return None,
            '\\' => parts.last_mut()?.push(letters.next()?),
            other => parts.last_mut()?.push(other),
        }
    }
    Some(parts)
}

/// At most eighty letters of what could not be read.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_joined_and_read_again() {
        let app = ResourceKey::new("app", "01-a");
        let id = entitlement(&app, "deploy");
        assert_eq!(id, "app:01-a:deploy");
        assert_eq!(parse_entitlement(&id), Ok((app, "deploy")));
        let user = ResourceKey::new("user", "02-b");
        let grant = grant(&id, &user);
        assert_eq!(grant, "app:01-a:deploy:user:02-b");
        assert_eq!(parse_grant(&grant), Ok((id.as_str(), user)));
    }

    #[test]
    fn what_lacks_a_part_is_refused_with_the_shape_expected() {
        for text in ["", "app", "app:1", "app::x", "app:1:"] {
            assert!(parse_entitlement(text).is_err(), "{text}");
            assert!(parse_grant(text).is_err(), "{text}");
        }
        let error = parse_grant("app:1:view:user").unwrap_err().to_string();
        assert!(error.contains("<principal type>:<principal>"), "{error}");
        assert!(parse_entitlement(&format!("app:1:{}", "x".repeat(LONGEST))).is_err());
    }

    #[test]
    fn bids_keep_parents_and_escapes() {
        let app = ResourceKey::new("app", "a/b:c\\d");
        let team = ResourceKey::new("team", "t");
        assert_eq!(bid(&app, Some(&team)), "bid:r:team/t/app/a\\/b\\:c\\\\d");
        assert_eq!(parse_bid(&bid(&app, Some(&team))), Ok((app.clone(), Some(team))));
        assert_eq!(parse_bid(&bid(&app, None)), Ok((app, None)));
        for text in ["bid:e:team/t:x", "bid:r:team", "bid:r:team/t/app", "bid:r:team/", "bid:r:a/b\\"] {
            assert!(parse_bid(text).is_err(), "{text}");
        }
    }
}
