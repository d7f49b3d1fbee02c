use super::*;
use serde_json::{Value, json};

const ID: &str = "happy-cat-12345@acme.conductor.one/bcc";
/// The first test vector of RFC 8032.
const D: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

fn secret(jwk: &Value) -> String {
    format!("secret-token:conductorone.com:v1:{}", URL_SAFE_NO_PAD.encode(jwk.to_string()))
}

fn jwk() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": X, "d": D })
}

fn refusal(id: &str, secret: &str) -> String {
    let error = Credentials::new(id, secret.into()).unwrap_err();
    let (shown, debug) = (error.to_string(), format!("{error:?}"));
    for part in [D, "nWGxne", &URL_SAFE_NO_PAD.encode(D)] {
        assert!(!shown.contains(part) && !debug.contains(part), "{shown}");
    }
    shown
}

#[test]
fn a_client_id_is_cut_at_its_first_at_and_slash() {
    let whole = secret(&jwk());
    for (id, name, host) in [
        (ID, "happy-cat-12345", "acme.conductor.one"),
        ("a@localhost:8443/x/y@z", "a", "localhost:8443"),
        ("a@[::1]:8443/x", "a", "[::1]:8443"),
    ] {
        let credentials = Credentials::new(id, whole.as_str().into()).unwrap();
        assert_eq!((credentials.name(), credentials.host()), (name, host));
        assert_eq!(credentials.client_id(), id);
    }
}

#[test]
fn a_wrong_client_id_is_told_by_what_it_lacks() {
    let whole = secret(&jwk());
    for (id, reason) in [
        ("acme.conductor.one/bcc", "it has no `@` between name and host"),
        ("a@acme.conductor.one", "it has no `/` between host and suffix"),
        ("@acme.conductor.one/bcc", "the name before `@` is empty or holds characters that no name has"),
        ("a@/bcc", "`` is no host with or without a port"),
        ("a@host:port/bcc", "`host:port` is no host with or without a port"),
        ("a@us er/bcc", "`us er` is no host with or without a port"),
        ("a@x?y/bcc", "`x?y` is no host with or without a port"),
    ] {
        assert_eq!(refusal(id, &whole), format!("invalid client id: {reason}"));
    }
}

#[test]
fn a_wrong_secret_is_told_by_its_part_and_never_shown() {
    let without = |name: &str| {
        let mut jwk = jwk();
        jwk.as_object_mut().unwrap().remove(name);
        secret(&jwk)
    };
    let with = |name: &str, value: &str| {
        let mut jwk = jwk();
        jwk[name] = value.into();
        secret(&jwk)
    };
    let other = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw";
    for (secret, reason) in [
        ("only:three:parts".to_owned(), "it has not four parts with colons between them"),
        (secret(&jwk()).replace(":v1:", ":v2:"), "its third part is not `v1`"),
        (format!("{}=", secret(&jwk())), "its fourth part is not base64url without padding"),
        (format!("a:b:v1:{}", URL_SAFE_NO_PAD.encode(D)), "its fourth part holds no JSON Web Key"),
        (with("kty", "RSA"), "its key is not of the kind OKP with the curve Ed25519"),
        (with("crv", "X25519"), "its key is not of the kind OKP with the curve Ed25519"),
        (without("d"), "its key has no private half `d`"),
        (without("x"), "its key has no public half `x`"),
        (with("d", "nWGxne_9"), "`d` of its key has not 32 bytes"),
        (with("x", "*"), "`x` of its key is not base64url without padding"),
        (with("x", other), "the halves `d` and `x` of its key do not belong together"),
    ] {
        assert_eq!(refusal(ID, &secret), format!("invalid client secret: {reason}"));
    }
}

#[test]
fn nothing_of_the_secret_shows_in_debug_texts_and_all_of_it_is_redacted() {
    let whole = secret(&jwk());
    let credentials = Credentials::new(ID, format!("{whole}\n").into()).unwrap();
    let debug = format!("{credentials:?}");
    assert!(debug.contains(ID) && !debug.contains(D) && !debug.contains("v1"), "{debug}");
    let redactor = credentials.redactor(&[]);
    let seed = URL_SAFE_NO_PAD.decode(D).unwrap();
    let hex = seed.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    for spelling in [whole.as_str(), whole.rsplit(':').next().unwrap(), D, &hex] {
        let clean = redactor.clean(&format!("<{spelling}>"));
        assert!(!clean.contains(spelling) && clean.contains("[secret]"), "{clean}");
    }
}
