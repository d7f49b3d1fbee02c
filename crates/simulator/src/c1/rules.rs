//! The rules of the contract that every request must keep.
//!
//! Invariant: all broken rules of a request are named, not only the first.
//!
//! Source: the validation rules of the contract's messages; that the system's fields must not be empty is what its own
//! connectors take care of.

use prost_types::Any;

use super::proto::connector::{ConnectorMetadata, ResourceType};
use super::proto::tasks::baton_service_upload_asset_request::Msg;
use super::proto::tasks::{
    BatonServiceFinishTaskRequest, BatonServiceGetTaskRequest, BatonServiceGetTasksRequest,
    BatonServiceHeartbeatRequest, BatonServiceHelloRequest, BatonServiceUploadAssetRequest,
    StartDebuggingRequest, baton_service_finish_task_request as finish,
};

/// A request with rules.
pub(super) trait Checked {
    /// Who asks, and about which task.
    fn about(&self) -> (&str, &str);

    /// Looks at every rule.
    fn check(&self, rules: &mut Rules);

    /// Every broken rule, in words; none where all is well.
    fn broken(&self) -> Vec<String> {
        let mut rules = Rules::default();
        self.check(&mut rules);
        rules.0
    }
}

/// Gathers broken rules.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<String>);

impl Rules {
    fn require(&mut self, holds: bool, rule: &str) {
        if !holds {
            self.0.push(rule.to_owned());
        }
    }

    fn host(&mut self, host_id: &str) {
        self.require((1..=256).contains(&host_id.chars().count()), "host_id has 1 to 256 characters");
    }

    fn task(&mut self, id: &str) {
        let fits = id.len() == 27 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        self.require(fits, "task_id has 27 letters and digits");
    }

    fn annotations(&mut self, annotations: &[Any]) {
        self.require(annotations.len() <= 16, "at most 16 annotations");
    }

    /// A text of 1 to `most` bytes, or none where that is allowed.
    fn text(&mut self, text: &str, most: usize, may_be_empty: bool, name: &str) {
        let fits = text.len() <= most && (may_be_empty || !text.is_empty());
        self.require(fits, &format!("{name} has {} to {most} bytes", u8::from(!may_be_empty)));
    }

    fn metadata(&mut self, metadata: &ConnectorMetadata) {
        self.text(&metadata.display_name, 1024, false, "connector_metadata.display_name");
        self.text(&metadata.description, 4096, true, "connector_metadata.description");
        self.text(&metadata.help_url, 1024, true, "connector_metadata.help_url");
        let url = &metadata.help_url;
        self.require(url.is_empty() || url.starts_with("https://"), "help_url begins with https://");
        let capabilities = metadata.capabilities.iter();
        for kind in capabilities.flat_map(|all| &all.resource_type_capabilities) {
            match &kind.resource_type {
                Some(kind) => self.resource_type(kind),
                None => self.require(false, "a capability names its resource type"),
            }
        }
    }

    fn resource_type(&mut self, kind: &ResourceType) {
        self.text(&kind.id, 1024, false, "resource_type.id");
        self.text(&kind.display_name, 1024, true, "resource_type.display_name");
        self.text(&kind.description, 4096, true, "resource_type.description");
        let mut traits = kind.traits.clone();
        traits.sort_unstable();
        traits.dedup();
        self.require(traits.len() == kind.traits.len(), "resource_type.traits are unique");
    }
}

impl Checked for BatonServiceHelloRequest {
    fn about(&self) -> (&str, &str) {
        (&self.host_id, &self.task_id)
    }

    fn check(&self, rules: &mut Rules) {
        rules.host(&self.host_id);
        if !self.task_id.is_empty() {
            rules.task(&self.task_id);
        }
        rules.annotations(&self.annotations);
        match &self.connector_metadata {
            Some(metadata) => rules.metadata(metadata),
            None => rules.require(false, "connector_metadata is required"),
        }
        let build = self.build_info.clone().unwrap_or_default();
        for text in [&build.lang_version, &build.package, &build.package_version] {
            rules.require(text.chars().count() <= 256, "build_info has texts of at most 256 characters");
        }
        let system = self.os_info.clone().unwrap_or_default();
        let texts = [
            &system.hostname,
            &system.os,
            &system.platform,
            &system.platform_version,
            &system.platform_family,
            &system.kernel_version,
            &system.kernel_arch,
            &system.virtualization_system,
        ];
        for text in texts {
            let fits = (1..=256).contains(&text.chars().count());
            rules.require(fits, "os_info has eight texts of 1 to 256 characters");
        }
    }
}

impl Checked for BatonServiceGetTaskRequest {
    fn about(&self) -> (&str, &str) {
        (&self.host_id, "")
    }

    fn check(&self, rules: &mut Rules) {
        rules.host(&self.host_id);
    }
}

impl Checked for BatonServiceGetTasksRequest {
    fn about(&self) -> (&str, &str) {
        (&self.host_id, "")
    }

    fn check(&self, rules: &mut Rules) {
        rules.host(&self.host_id);
        rules.require((1..=100).contains(&self.page_size), "page_size is 1 to 100");
        rules.annotations(&self.annotations);
        for id in &self.known_task_ids {
            rules.task(id);
        }
    }
}

impl Checked for BatonServiceHeartbeatRequest {
    fn about(&self) -> (&str, &str) {
        (&self.host_id, &self.task_id)
    }

    fn check(&self, rules: &mut Rules) {
        rules.host(&self.host_id);
        rules.task(&self.task_id);
        rules.annotations(&self.annotations);
        rules.require(self.task_ids.len() <= 100, "at most 100 task_ids");
        for id in &self.task_ids {
            rules.task(id);
        }
    }
}

impl Checked for BatonServiceUploadAssetRequest {
    fn about(&self) -> (&str, &str) {
        match &self.msg {
            Some(Msg::Metadata(metadata)) => (&metadata.host_id, &metadata.task_id),
            _ => ("", ""),
        }
    }

    fn check(&self, rules: &mut Rules) {
        match &self.msg {
            Some(Msg::Metadata(metadata)) => {
                rules.host(&metadata.host_id);
                rules.task(&metadata.task_id);
                rules.annotations(&metadata.annotations);
            }
            Some(Msg::Data(part)) => {
                rules.require((1..=1 << 20).contains(&part.data.len()), "data has 1 byte to 1 MiB");
            }
            Some(Msg::Eof(end)) => {
                rules.require(end.sha256_checksum.len() == 32, "sha256_checksum has 32 bytes");
                rules.annotations(&end.annotations);
            }
            None => rules.require(false, "msg is required"),
        }
    }
}

impl Checked for BatonServiceFinishTaskRequest {
    fn about(&self) -> (&str, &str) {
        (&self.host_id, &self.task_id)
    }

    fn check(&self, rules: &mut Rules) {
        rules.host(&self.host_id);
        rules.task(&self.task_id);
        match &self.final_state {
            Some(finish::FinalState::Success(success)) => rules.annotations(&success.annotations),
            Some(finish::FinalState::Error(error)) => rules.annotations(&error.annotations),
            None => rules.require(false, "final_state is required"),
        }
    }
}

impl Checked for StartDebuggingRequest {
    fn about(&self) -> (&str, &str) {
        ("", "")
    }

    fn check(&self, _: &mut Rules) {}
}
