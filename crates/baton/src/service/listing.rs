//! Listings: resource types, resources, entitlements and grants, page by page.
//!
//! Lists are flat: without a parent, everything of a type is listed, and with one, what belongs to it.
//!
//! Invariant: pages to exhaustion are what the version holds, in its order.

use std::iter;
use std::sync::Arc;

use metsuke_engine::connector::Target;
use metsuke_model::HerokuId;

use super::failure::{Code, Failure};
use super::page::Asked;
use super::versions::Shown;
use super::{Connector, rules};
use crate::id::ResourceKey;
use crate::proto::connector::{
    EntitlementsServiceListEntitlementsRequest, EntitlementsServiceListEntitlementsResponse,
    EntitlementsServiceListStaticEntitlementsRequest, EntitlementsServiceListStaticEntitlementsResponse,
    GrantsServiceListGrantsRequest, GrantsServiceListGrantsResponse, Resource,
    ResourceGetterServiceGetResourceRequest, ResourceGetterServiceGetResourceResponse, ResourceId,
    ResourceTypesServiceListResourceTypesRequest, ResourceTypesServiceListResourceTypesResponse,
    ResourcesServiceListResourcesRequest, ResourcesServiceListResourcesResponse,
};
use crate::shape::{Place, Shape, Type, resource_types};

impl Connector {
    /// The resource types, which are always the same.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`] for a request that breaks a rule, and for a page token of elsewhere.
    pub fn list_resource_types(
        &self,
        request: &ResourceTypesServiceListResourceTypesRequest,
    ) -> Result<ResourceTypesServiceListResourceTypesResponse, Failure> {
        rules::asked(request)?;
        let asked = Asked {
            version: "",
            listing: "resource types",
            size: request.page_size,
            token: &request.page_token,
        };
        let from = resource_types(self.options.shape).into_iter().skip(asked.start()?);
        let (list, next_page_token) = asked.cut(from)?;
        let answer =
            ResourceTypesServiceListResourceTypesResponse { list, next_page_token, annotations: Vec::new() };
        rules::answered(&answer)?;
        Ok(answer)
    }

    /// The resources of a type; those of one parent where it is named, none where nobody knows it.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`] as above, [`Code::NotFound`] for an unknown type, and what kept the estate from being read.
    pub async fn list_resources(
        &self,
        request: &ResourcesServiceListResourcesRequest,
    ) -> Result<ResourcesServiceListResourcesResponse, Failure> {
        rules::asked(request)?;
        let kind = kind(&request.resource_type_id)?;
        let parent = request.parent_resource_id.as_ref().map(key);
        let shown = self.versions.of(&request.active_sync_id).await?;
        let under = parent.as_ref().map(|key| format!(" of {}/{}", key.resource_type, key.resource));
        let listing = format!("resources {}{}", kind.as_str(), under.unwrap_or_default());
        let asked = Asked {
            version: shown.tag(),
            listing: &listing,
            size: request.page_size,
            token: &request.page_token,
        };
        let (start, shape) = (asked.start()?, self.shape(&shown));
        let (list, next_page_token) = match parent.map(|key| shape.find(&key)) {
            None => asked.cut(shape.resources(kind, start..usize::MAX)),
            Some(None) => asked.cut(iter::empty::<Resource>()),
            Some(Some(parent)) => {
                let children = shape.children(kind, parent).skip(start);
                asked.cut(children.filter_map(|place| shape.resource(place)))
            }
        }?;
        let annotations = self.rate();
        let answer = ResourcesServiceListResourcesResponse { list, next_page_token, annotations };
        rules::answered(&answer)?;
        Ok(answer)
    }

    /// One resource, read afresh from Heroku.
    ///
    /// # Errors
    ///
    /// [`Code::NotFound`] where Heroku shows none, else as [`list_resources`](Self::list_resources).
    pub async fn get_resource(
        &self,
        request: &ResourceGetterServiceGetResourceRequest,
    ) -> Result<ResourceGetterServiceGetResourceResponse, Failure> {
        rules::asked(request)?;
        let key = request.resource_id.as_ref().map_or_else(|| ResourceKey::new("", ""), key);
        let kind = kind(&key.resource_type)?;
        let shown = self.read_afresh(kind, &key, &request.active_sync_id).await?;
        let shape = self.shape(&shown);
        let resource = shape.find(&key).and_then(|place| shape.resource(place));
        let resource = Some(resource.ok_or_else(|| unknown(&key))?);
        self.versions.hold(&request.active_sync_id, key, Arc::clone(&shown));
        let answer = ResourceGetterServiceGetResourceResponse { resource, annotations: self.rate() };
        rules::answered(&answer)?;
        Ok(answer)
    }

    /// What a resource offers.
    ///
    /// # Errors
    ///
    /// [`Code::NotFound`] for a resource that the version does not have, else as [`list_resources`](Self::list_resources).
    pub async fn list_entitlements(
        &self,
        request: &EntitlementsServiceListEntitlementsRequest,
    ) -> Result<EntitlementsServiceListEntitlementsResponse, Failure> {
        rules::asked(request)?;
        let key = whose(request.resource.as_ref());
        let shown = self.about(&key, &request.active_sync_id).await?;
        let listing = format!("entitlements {}/{}", key.resource_type, key.resource);
        let asked = Asked {
            version: shown.tag(),
            listing: &listing,
            size: request.page_size,
            token: &request.page_token,
        };
        let (start, shape) = (asked.start()?, self.shape(&shown));
        let entitlements = shape.entitlements(place(shape, &key)?);
        let (list, next_page_token) = asked.cut(entitlements.into_iter().skip(start))?;
        let annotations = self.rate();
        let answer = EntitlementsServiceListEntitlementsResponse { list, next_page_token, annotations };
        rules::answered(&answer)?;
        Ok(answer)
    }

    /// What every resource of a type offers: nothing, because each resource lists its own.
    ///
    /// # Errors
    ///
    /// [`Code::InvalidArgument`] for a request that breaks a rule, and [`Code::NotFound`] for an unknown type.
    pub fn list_static_entitlements(
        &self,
        request: &EntitlementsServiceListStaticEntitlementsRequest,
    ) -> Result<EntitlementsServiceListStaticEntitlementsResponse, Failure> {
        rules::asked(request)?;
        kind(&request.resource_type_id)?;
        let asked = Asked {
            version: "",
            listing: "static entitlements",
            size: request.page_size,
            token: &request.page_token,
        };
        asked.cut(iter::empty::<crate::proto::connector::Entitlement>())?;
        Ok(EntitlementsServiceListStaticEntitlementsResponse::default())
    }

    /// Who holds what on a resource; what is inherited is told once for all, for the parent to work out.
    ///
    /// # Errors
    ///
    /// As [`list_entitlements`](Self::list_entitlements).
    pub async fn list_grants(
        &self,
        request: &GrantsServiceListGrantsRequest,
    ) -> Result<GrantsServiceListGrantsResponse, Failure> {
        rules::asked(request)?;
        let key = whose(request.resource.as_ref());
        let shown = self.about(&key, &request.active_sync_id).await?;
        let listing = format!("grants {}/{}", key.resource_type, key.resource);
        let asked = Asked {
            version: shown.tag(),
            listing: &listing,
            size: request.page_size,
            token: &request.page_token,
        };
        let (start, shape) = (asked.start()?, self.shape(&shown));
        let grants = shape.grants(place(shape, &key)?);
        let (list, next_page_token) = asked.cut(grants.range(start..usize::MAX))?;
        let annotations = self.rate();
        let answer = GrantsServiceListGrantsResponse { list, next_page_token, annotations };
        rules::answered(&answer)?;
        Ok(answer)
    }

    pub(super) fn shape<'v>(&self, shown: &'v Shown) -> Shape<'v> {
        Shape::new(shown.view(), self.options.shape)
    }

    async fn about(&self, key: &ResourceKey, sync: &str) -> Result<Arc<Shown>, Failure> {
        kind(&key.resource_type)?;
        self.versions.about(sync, key).await
    }

    async fn read_afresh(&self, kind: Type, key: &ResourceKey, sync: &str) -> Result<Arc<Shown>, Failure> {
        let target = target(kind, &key.resource);
        let view = self.estate.refresh(&target).await.map_err(|error| self.failed(&error))?;
        match view {
            Some(view) => Ok(Arc::new(Shown::new(view))),
            // Heroku shows nobody by id: before the first version, people are known from nowhere else.
            None if kind == Type::User && self.is_new().await? => self.versions.of(sync).await,
            None => Err(unknown(key)),
        }
    }

    /// Whether nothing was ever read.
    async fn is_new(&self) -> Result<bool, Failure> {
        let version = self.estate.version(None).await.map_err(|error| self.failed(&error))?;
        Ok(version.is_none())
    }
}

/// The engine's words for a resource of this type.
pub(super) fn target(kind: Type, id: &str) -> Target {
    let id = HerokuId::new(id);
    match kind {
        Type::User => Target::User(id),
        Type::EnterpriseAccount => Target::EnterpriseAccount(id),
        Type::Team => Target::Team(id),
        Type::App => Target::App(id),
    }
}

pub(super) fn key(id: &ResourceId) -> ResourceKey {
    ResourceKey::new(&id.resource_type, &id.resource)
}

/// The resource that a request is about; the rules have seen that it names one.
fn whose(resource: Option<&Resource>) -> ResourceKey {
    let id = resource.and_then(|resource| resource.id.as_ref());
    id.map_or_else(|| ResourceKey::new("", ""), key)
}

fn kind(id: &str) -> Result<Type, Failure> {
    Type::parse(id)
        .ok_or_else(|| Failure::new(Code::NotFound, format!("there is no resource type `{}`", brief(id))))
}

fn place(shape: Shape<'_>, key: &ResourceKey) -> Result<Place, Failure> {
    shape.find(key).ok_or_else(|| unknown(key))
}

fn unknown(key: &ResourceKey) -> Failure {
    let message = format!("there is no {} `{}`", brief(&key.resource_type), brief(&key.resource));
    Failure::new(Code::NotFound, message)
}

/// At most so much of what somebody sent is repeated.
pub(super) fn brief(text: &str) -> String {
    text.chars().take(80).collect()
}
