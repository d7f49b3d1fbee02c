//! Mail domains at which anybody may have an address.
//!
//! The list need not be complete: a domain that is missing here still takes an employee's own address there to
//! matter.
//!
//! Invariant: in small letters, sorted.

/// The domains of large public providers.
const PUBLIC: &[&str] = &[
    "126.com",
    "163.com",
    "aol.com",
    "fastmail.com",
    "free.fr",
    "gmail.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "orange.fr",
    "outlook.com",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "t-online.de",
    "tutanota.com",
    "web.de",
    "yahoo.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
];

/// Whether anybody may have an address at this domain.
#[must_use]
pub fn is_public(domain: &str) -> bool {
    // The large ones have a domain for each country.
    let national = ["yahoo.", "hotmail.", "live.", "outlook."];
    PUBLIC.binary_search(&domain).is_ok() || national.iter().any(|start| domain.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_so_that_it_can_be_searched() {
        assert!(PUBLIC.is_sorted());
        assert!(is_public("gmail.com") && is_public("yahoo.co.uk") && !is_public("example.com"));
    }
}
