//! What hangs on apps: add-ons, attachments, pipelines, spaces.

use metsuke_clients::heroku::wire;
use metsuke_model::access::Access;
use metsuke_model::record::{AddOn, Attachment, Coupling, Pipeline, Space};
use metsuke_model::{HerokuId, ResourceType};
use serde_json::{Value, json};

use super::Gather;
use crate::sync::listing::Listing;
use crate::sync::people::{Facts, Source};
use crate::sync::texts::{named, number, reference, text, time};

impl Gather {
    pub(super) fn take_addons(&mut self, rows: Vec<wire::AddOn>) -> Vec<Listing> {
        for row in rows {
            let app = row.app.as_ref().and_then(|app| reference(app.id.as_deref()));
            let mut rest = row.rest;
            rest.insert("plan".into(), named(row.plan.as_ref()));
            rest.insert("state".into(), json!(row.state));
            rest.insert("config_vars".into(), json!(row.config_vars));
            if let Some(price) = &row.billed_price {
                let cents = number(price.cents.as_ref());
                let price = json!({ "cents": cents, "contract": price.contract, "unit": price.unit });
                rest.insert("billed_price".into(), price);
            }
            if let Some(payer) = &row.billing_entity {
                // Heroku: most often the app itself pays, which its column tells already.
                let own = payer.kind.as_deref() == Some("app") && reference(payer.id.as_deref()) == app;
                let payer =
                    if own { json!("app") } else { json!({ "type": payer.kind, "name": payer.name }) };
                rest.insert("billing_entity".into(), payer);
            }
            self.addons.push(AddOn {
                id: HerokuId::new(&row.id),
                name: text(row.name.as_deref()),
                app,
                service: text(row.addon_service.as_ref().and_then(|service| service.name.as_deref())),
                provider_id: text(row.provider_id.as_deref()),
                web_url: text(row.web_url.as_deref()),
                created_at: time(row.created_at.as_deref()),
                updated_at: time(row.updated_at.as_deref()),
                properties: self.texts.properties(rest),
            });
        }
        Vec::new()
    }

    pub(super) fn take_attachments(&mut self, rows: Vec<wire::Attachment>) -> Vec<Listing> {
        for row in rows {
            let mut rest = row.rest;
            rest.insert("namespace".into(), json!(row.namespace));
            self.attachments.push(Attachment {
                id: HerokuId::new(&row.id),
                name: text(row.name.as_deref()),
                addon: row.addon.as_ref().and_then(|addon| reference(addon.id.as_deref())),
                app: row.app.as_ref().and_then(|app| reference(app.id.as_deref())),
                properties: self.texts.properties(rest),
            });
        }
        Vec::new()
    }

    pub(super) fn take_pipelines(&mut self, rows: Vec<wire::Pipeline>) -> Vec<Listing> {
        for row in rows {
            let owner = row.owner.as_ref();
            let (owner_id, owner_type) =
                (owner.and_then(|owner| owner.id.as_deref()), owner.and_then(|owner| owner.kind.as_deref()));
            if let (Some(id), Some("user")) = (owner_id, owner_type) {
                self.people.see_bare(id, owner.and_then(|owner| owner.email.as_deref()), Source::Other);
            }
            self.pipelines.push(Pipeline {
                id: HerokuId::new(&row.id),
                name: text(row.name.as_deref()),
                owner: text(owner_id),
                owner_type: text(owner_type),
                properties: self.texts.properties(row.rest),
            });
        }
        Vec::new()
    }

    pub(super) fn take_couplings(&mut self, rows: Vec<wire::PipelineCoupling>) -> Vec<Listing> {
        for row in rows {
            self.couplings.push(Coupling {
                id: HerokuId::new(&row.id),
                app: row.app.as_ref().and_then(|app| reference(app.id.as_deref())),
                pipeline: row.pipeline.as_ref().and_then(|pipeline| reference(pipeline.id.as_deref())),
                stage: text(row.stage.as_deref()),
                properties: self.texts.properties(serde_json::Map::new()),
            });
        }
        Vec::new()
    }

    pub(super) fn take_spaces(&mut self, rows: Vec<wire::Space>) -> Vec<Listing> {
        let mut follow = Vec::new();
        for row in rows {
            let id = HerokuId::new(&row.id);
            follow.push(Listing::SpaceMembers(id.clone()));
            let mut rest = row.rest;
            rest.remove("organization");
            rest.insert("region".into(), named(row.region.as_ref()));
            rest.insert("shield".into(), json!(row.shield));
            rest.insert("generation".into(), generation(row.generation));
            let space = Space {
                id: id.clone(),
                name: text(row.name.as_deref()),
                team: row.team.as_ref().and_then(|team| reference(team.id.as_deref())),
                state: text(row.state.as_deref()),
                created_at: time(row.created_at.as_deref()),
                updated_at: time(row.updated_at.as_deref()),
                properties: self.texts.properties(rest),
            };
            self.spaces.insert(id, space);
        }
        follow
    }

    pub(super) fn take_space_members(
        &mut self,
        listing: &Listing,
        rows: Vec<wire::SpaceMember>,
    ) -> Vec<Listing> {
        let Some(space) = listing.parent() else { return Vec::new() };
        for row in rows {
            if let Some(principal) = self.people.see(row.user.as_ref(), Source::Other, Facts::default()) {
                let access =
                    Access::from_slugs(ResourceType::Space, row.permissions.iter().map(|slug| &**slug));
                self.access.grant(ResourceType::Space, space, principal, access);
            }
        }
        Vec::new()
    }
}

/// A generation, an object in some variants, as its name.
fn generation(value: Option<Value>) -> Value {
    match value {
        Some(Value::Object(object)) => object.get("name").cloned().unwrap_or_default(),
        other => other.unwrap_or_default(),
    }
}
