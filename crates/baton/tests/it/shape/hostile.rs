//! What Heroku may send and no reader could take as it is.

use metsuke_baton::any::{find, is};
use metsuke_baton::id::ResourceKey;
use metsuke_baton::proto::connector::entitlement::PurposeValue;
use metsuke_baton::proto::connector::{EntitlementImmutable, UserTrait};
use metsuke_baton::shape::{Place, Type, direct_grant};
use metsuke_model::HerokuId;
use metsuke_simulator::{Options as Estate, Size, World};
use prost_types::value::Kind;

use super::house::House;
use super::laws::everything;

const LONG: &str = "x-long-permission-";

/// Gives the first collaborator of an app permissions that nobody has heard of, and a member such a role.
fn strange(world: &mut World) {
    let team = world.enterprise_team_names().into_iter().next().unwrap();
    let app = world.app_names(Some(&team)).into_iter().next().unwrap();
    let (member, _) = world.members_of(&team).into_iter().next_back().unwrap();
    let long = LONG.repeat(100);
    let permissions = ["view", "a:b", "a b", "a%3Ab", "\u{202e}x\n", &long];
    world.set_collaborator(&app, &member, &permissions).unwrap();
    assert!(world.set_role(&team, &member, Some("space:admin")));
}

#[tokio::test]
async fn words_that_would_break_ids_are_encoded_each_in_its_own_way() {
    let house = House::edited(Estate { size: Size::Small, ..Estate::default() }, strange).await;
    let all = everything(house.shape());
    all.hangs_together();
    let slugs: Vec<&str> = all.entitlements.values().map(|entitlement| &*entitlement.slug).collect();
    for slug in ["a%3Ab", "a%20b", "a%253Ab", "%E2%80%AEx%0A", "space%3Aadmin"] {
        assert!(slugs.contains(&slug), "{slug} in {slugs:?}");
    }
    let long = slugs.iter().find(|slug| slug.starts_with(LONG)).unwrap();
    assert!(long.len() < 256);
    let entitlement = all.entitlements.values().find(|entitlement| entitlement.slug == "a%3Ab").unwrap();
    let (place, slug) = house.shape().entitlement(&entitlement.id).unwrap();
    assert_eq!((place.kind, slug), (Type::App, "a:b"));
    assert_eq!(entitlement.purpose(), PurposeValue::Permission);
    assert!(entitlement.annotations.iter().any(is::<EntitlementImmutable>));
    assert!(entitlement.description.contains("`a:b`"), "{}", entitlement.description);
    let user = house.shape().key(Place::new(Type::User, 0)).unwrap();
    let grant = direct_grant(&house.shape().key(place).unwrap(), "a:b", &user);
    assert_eq!(grant.entitlement.unwrap().id, entitlement.id);
}

#[tokio::test]
async fn an_address_that_readers_refuse_stays_in_the_profile() {
    let address = "ann lee@@example.com";
    let edit = |world: &mut World| {
        let team = world.team_names().into_iter().next().unwrap();
        let (member, _) = world.members_of(&team).into_iter().next_back().unwrap();
        assert!(world.set_email(&member, address));
    };
    let house = House::edited(Estate { size: Size::Small, ..Estate::default() }, edit).await;
    let shape = house.shape();
    let place = house.view.users_named(address).next().unwrap();
    let resource = shape.resource(Place::new(Type::User, place)).unwrap();
    let user = find::<UserTrait>(&resource.annotations).unwrap();
    assert!(user.emails.is_empty());
    assert_eq!(user.login, address);
    let email = resource.profile.unwrap().fields.remove("email").unwrap().kind;
    assert_eq!(email, Some(Kind::StringValue(address.to_owned())));
}

#[tokio::test]
async fn what_no_version_holds_is_nowhere() {
    let house = House::of(Estate::default()).await;
    let shape = house.shape();
    for (kind, id) in [("user", "nobody"), ("space", "x"), ("app", ""), ("team", "%"), ("", "")] {
        assert_eq!(shape.find(&ResourceKey::new(kind, id)), None, "{kind} {id}");
    }
    assert_eq!(shape.entitlement("app:nothing:view"), None);
    let behind = Place::new(Type::App, shape.count(Type::App));
    assert!(shape.resource(behind).is_none() && shape.key(behind).is_none());
    assert!(shape.entitlements(behind).is_empty() && shape.expanded(behind).is_empty());
    assert_eq!(shape.heroku_id(Place::new(Type::User, usize::MAX)), None::<&HerokuId>);
}
