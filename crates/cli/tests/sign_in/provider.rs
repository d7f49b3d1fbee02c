//! Signing in through a provider of identities: with the manners of Keycloak and of Dex, and with everything that a bad one sends.

use metsuke_engine::identity::{AccountEdit, ProviderRules, Role};
use metsuke_simulator::oidc::{OidcFault, OidcManners, OidcPerson, OidcProvider};

use crate::browser::{Answer, Browser};
use crate::house::{House, MINUTE};

const ANN: &str = "ann@example.com";

fn rules(claim: &str, platform: &str) -> ProviderRules {
    ProviderRules {
        name: "Example".into(),
        claim: claim.into(),
        roles: vec![(platform.into(), Role::Operator)],
        otherwise: None,
        link_by_email: false,
        trust_email: false,
    }
}

async fn dex(person: OidcPerson) -> (OidcProvider, House) {
    dex_with(person, rules("groups", "platform")).await
}

async fn dex_with(person: OidcPerson, rules: ProviderRules) -> (OidcProvider, House) {
    let provider = OidcProvider::local(OidcManners::Dex, person).await.unwrap();
    let house = House::with_provider(&provider, rules).await;
    (provider, house)
}

fn ann() -> OidcPerson {
    OidcPerson::new("Ann@Example.com", &["staff", "platform"])
}

/// Goes to the provider, and gives the way back.
async fn asked(browser: &mut Browser) -> String {
    let away = browser.get("/auth/oidc").await;
    assert_eq!(away.status, 303, "{}", away.body);
    let place = away.header("location").to_owned();
    assert!(place.contains("code_challenge_method=S256"), "{place}");
    let back = browser.get(&place).await;
    assert_eq!(back.status, 302, "{}", back.body);
    back.header("location").to_owned()
}

async fn through(browser: &mut Browser) -> Answer {
    let back = asked(browser).await;
    browser.get(&back).await
}

#[tokio::test]
async fn somebody_comes_in_with_the_role_of_their_group_by_either_servers_manners() {
    for (manners, claim, group) in [
        (OidcManners::Keycloak, "groups", "/platform"),
        (OidcManners::Keycloak, "realm_access.roles", "platform"),
        (OidcManners::Dex, "groups", "platform"),
    ] {
        let provider = OidcProvider::local(manners, ann()).await.unwrap();
        let house = House::with_provider(&provider, rules(claim, group)).await;
        let mut browser = house.browser();
        let done = through(&mut browser).await;
        assert_eq!((done.status, done.header("location")), (303, "/"), "{manners:?} {}", done.body);
        let told = browser.get("/api/v1/session").await.json();
        assert_eq!((&told["email"], &told["role"]), (&ANN.into(), &"operator".into()));
        assert_eq!(told["method"], "oidc");
        assert!(!browser.cookies.contains_key("metsuke_question"));
        assert_eq!(through(&mut house.browser()).await.status, 303, "a second time");
        assert_eq!(house.people.list("", 9).await.unwrap().len(), 1, "it is the same account");
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_token_nobody_gets_in() {
    let (provider, house) = dex(ann()).await;
    for (fault, why) in [
        (OidcFault::WrongNonce, "nonce"),
        (OidcFault::WrongAudience, "audience"),
        (OidcFault::FurtherAudience, "audience"),
        (OidcFault::WrongIssuer, "issuer"),
        (OidcFault::Expired, "expired"),
        (OidcFault::FromTheFuture, "expired"),
        (OidcFault::AlgorithmNone, "algorithm"),
        (OidcFault::SymmetricKey, "algorithm"),
        (OidcFault::ForeignKey, "signature"),
        (OidcFault::Changed, "signature"),
        (OidcFault::NoIdToken, "claims"),
        (OidcFault::WrongAccessToken, "claims"),
        (OidcFault::WrongIssuerInAnswer, "issuer"),
    ] {
        provider.misbehave(fault);
        let mut browser = house.browser();
        let answer = through(&mut browser).await;
        assert_eq!(answer.status, 403, "{fault:?}: {}", answer.body);
        assert!(!browser.cookies.contains_key("metsuke_session"), "{fault:?}");
        assert_eq!(house.events_of("login.failed").await[0].details["why"], why, "{fault:?}");
        assert!(house.people.nobody().await.unwrap(), "{fault:?}");
        // What an answer of the provider's was told to be stays so until a token is made.
        if fault == OidcFault::WrongIssuerInAnswer {
            provider.misbehave(OidcFault::Expired);
            through(&mut house.browser()).await;
        }
    }
    assert_eq!(through(&mut house.browser()).await.status, 303, "and with nothing wrong, somebody does");
}

#[tokio::test]
async fn a_new_key_of_the_providers_is_fetched_and_an_old_one_is_no_good() {
    let (provider, house) = dex(ann()).await;
    assert_eq!(through(&mut house.browser()).await.status, 303);
    assert_eq!(provider.keys_read(), 1);
    provider.rotate();
    assert_eq!(through(&mut house.browser()).await.status, 303);
    assert_eq!(provider.keys_read(), 2);
    assert_eq!(through(&mut house.browser()).await.status, 303);
    assert_eq!(provider.keys_read(), 2, "they are not read each time");
}

#[tokio::test]
async fn an_answer_is_good_in_its_own_browser_once_and_in_time() {
    let (_provider, house) = dex(ann()).await;
    let mut own = house.browser();
    let back = asked(&mut own).await;
    let kept = own.cookies.clone();

    assert_eq!(house.browser().get(&back).await.status, 400, "no question");
    let mut other = house.browser();
    asked(&mut other).await;
    assert_eq!(other.get(&back).await.status, 403, "another browser's question");
    let altered = back.replace("state=", "state=x");
    assert_eq!(own.get(&altered).await.status, 403, "another state");

    own.cookies = kept.clone();
    assert_eq!(own.get(&back).await.status, 303);
    own.cookies = kept.clone();
    assert_eq!(own.get(&back).await.status, 403, "the code was used");

    let mut slow = house.browser();
    let back = asked(&mut slow).await;
    house.pass(10 * MINUTE);
    assert_eq!(slow.get(&back).await.status, 403);
    // Nobody moves the time of a question.
    let mut moved = house.browser();
    let back = asked(&mut moved).await;
    let cookie = moved.cookies["metsuke_question"].clone();
    let (secret, at) = cookie.rsplit_once('.').unwrap();
    let later = at.parse::<i64>().unwrap() + 1;
    moved.cookies.insert("metsuke_question".into(), format!("{secret}.{later}"));
    assert_eq!(moved.get(&back).await.status, 403);
}

#[tokio::test]
async fn an_address_that_the_provider_has_not_verified_gives_nothing() {
    for verified in [Some(false), None] {
        let (_provider, house) = dex(OidcPerson { email_verified: verified, ..ann() }).await;
        assert_eq!(through(&mut house.browser()).await.status, 403, "{verified:?}");
        assert_eq!(house.events_of("login.failed").await[0].details["why"], "email");
    }
    let (_provider, house) = dex(OidcPerson { email: None, ..ann() }).await;
    assert_eq!(through(&mut house.browser()).await.status, 403);
}

#[tokio::test]
async fn an_account_that_is_there_is_linked_by_its_address_only_where_that_is_set() {
    let (_provider, house) = dex(ann()).await;
    house.person(ANN, Role::Viewer).await;
    assert_eq!(through(&mut house.browser()).await.status, 403);
    assert_eq!(house.events_of("login.failed").await[0].details["why"], "not_linked");

    let linking = ProviderRules { link_by_email: true, ..rules("groups", "platform") };
    let (provider, house) = dex_with(ann(), linking).await;
    house.person(ANN, Role::Viewer).await;
    let mut browser = house.browser();
    assert_eq!(through(&mut browser).await.status, 303);
    let told = browser.get("/api/v1/session").await.json();
    assert_eq!(told["role"], "viewer", "a local account keeps its own role");
    assert_eq!(house.events_of("account.linked").await.len(), 1);
    // From then on the provider's id counts, whatever the address.
    provider.set_person(OidcPerson { email: Some("new@example.com".into()), ..ann() });
    assert_eq!(through(&mut house.browser()).await.status, 303);
    assert_eq!(house.people.list("", 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_loses_the_group_is_not_let_in_and_who_is_disabled_stays_out() {
    let (provider, house) = dex(ann()).await;
    let mut browser = house.browser();
    assert_eq!(through(&mut browser).await.status, 303);
    provider.set_person(OidcPerson { groups: vec!["staff".into()], ..ann() });
    assert_eq!(through(&mut house.browser()).await.status, 403);
    assert_eq!(house.events_of("login.failed").await[0].details["why"], "role");
    provider.set_person(ann());
    house.person("root@example.com", Role::Admin).await;
    let disabled = AccountEdit { disabled: Some(true), ..AccountEdit::default() };
    house.people.edit(ANN, disabled).await.unwrap();
    assert!(!browser.is_signed_in().await);
    assert_eq!(through(&mut house.browser()).await.status, 403);
    assert_eq!(house.browser().sign_in(ANN, "", "").await, 401, "there is no password");
}

#[tokio::test]
async fn claims_that_are_told_apart_are_fetched() {
    let (provider, house) = dex(ann()).await;
    provider.tell_claims_apart();
    let mut browser = house.browser();
    assert_eq!(through(&mut browser).await.status, 303);
    assert_eq!(browser.get("/api/v1/session").await.json()["role"], "operator");
}

#[tokio::test]
async fn a_provider_that_is_away_is_told_and_harms_nobody_else() {
    let (provider, house) = dex(ann()).await;
    house.person("root@example.com", Role::Admin).await;
    drop(provider);
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let answer = house.browser().get("/auth/oidc").await;
    assert_eq!(answer.status, 424, "{}", answer.body);
    house.signed_in("root@example.com").await;
    let page = house.browser().get("/auth/sign-in").await;
    assert!(page.body.contains("Sign in with Example"));
}
