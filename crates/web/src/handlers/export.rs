//! Versions as files of other tools, to be carried off.

use std::fs::File;

use axum::body::Bytes;
use axum::http::{HeaderValue, StatusCode, header};
use futures::stream;
use metsuke_engine::desk::Form;
use metsuke_engine::jupiterone::{Options, Profile};
use serde::Deserialize;
use tokio::io::AsyncReadExt as _;

use super::estate::version;
use crate::answer::{Answer, Body};
use crate::call::Call;
use crate::error::ApiError;

/// Bytes of a file that are held at a time.
const PIECE: usize = 64 * 1024;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GraphOf {
    connector: Option<String>,
    as_of: Option<String>,
    form: Option<String>,
    #[serde(default)]
    effective: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct C1zOf {
    connector: Option<String>,
    as_of: Option<String>,
    expand: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct JupiterOneOf {
    connector: Option<String>,
    as_of: Option<String>,
    profile: Option<String>,
    account_name: Option<String>,
    #[serde(default)]
    tag_production: bool,
    #[serde(default)]
    only_original: bool,
    #[serde(default)]
    effective: bool,
}

pub(super) async fn graph(call: Call) -> Result<Answer, ApiError> {
    let GraphOf { connector, as_of, form, effective } = call.parameters()?;
    let form = form.unwrap_or_else(|| "json".into());
    let (media, name) = match form.as_str() {
        "json" => ("application/json", "graph.json"),
        "jsonl" => ("application/jsonl", "graph.jsonl"),
        "graphml" => ("application/graphml+xml", "graph.graphml"),
        "dot" => ("text/vnd.graphviz", "graph.dot"),
        _ => return Err(ApiError::invalid("form", "it is json, jsonl, graphml or dot")),
    };
    carried(&call, connector, as_of, Form::Graph { form, effective }, (media, name)).await
}

pub(super) async fn c1z(call: Call) -> Result<Answer, ApiError> {
    let C1zOf { connector, as_of, expand } = call.parameters()?;
    let expand = expand.unwrap_or_else(|| "auto".into());
    if !["auto", "always", "never"].contains(&expand.as_str()) {
        return Err(ApiError::invalid("expand", "it is auto, always or never"));
    }
    let form = Form::C1z { expand };
    carried(&call, connector, as_of, form, ("application/octet-stream", "estate.c1z")).await
}

pub(super) async fn jupiterone(call: Call) -> Result<Answer, ApiError> {
    let JupiterOneOf { connector, as_of, profile, account_name, tag_production, only_original, effective } =
        call.parameters()?;
    let shape = Shape { profile, account_name, tag_production, only_original, effective };
    let form = Form::JupiterOne(shape.options()?);
    carried(&call, connector, as_of, form, ("application/x-tar", "j1-integration.tar")).await
}

/// What goes to JupiterOne, and how, as somebody asks for it.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) profile: Option<String>,
    pub(super) account_name: Option<String>,
    pub(super) tag_production: bool,
    pub(super) only_original: bool,
    pub(super) effective: bool,
}

impl Shape {
    /// As the engine takes it.
    pub(super) fn options(self) -> Result<Options, ApiError> {
        let Self { profile, account_name, tag_production, only_original, effective } = self;
        let profile = match profile.as_deref() {
            None | Some("classic") => Profile::Classic,
            Some("current") => Profile::Current,
            Some(_) => return Err(ApiError::invalid("profile", "it is classic or current")),
        };
        if only_original && effective {
            return Err(ApiError::invalid("effective", "the original integration had no effective access"));
        }
        Ok(Options { profile, account_name, production: tag_production, only_original, effective })
    }
}

async fn carried(
    call: &Call,
    connector: Option<String>,
    as_of: Option<String>,
    form: Form,
    (media, name): (&'static str, &str),
) -> Result<Answer, ApiError> {
    let as_of = version("as_of", as_of)?;
    let file = call.state.desk.download(connector.as_deref(), as_of, form).await?;
    download(file, media, name)
}

/// A file, piece by piece, with its length: whoever gets less knows that something is missing.
pub(super) fn download(file: File, media: &'static str, name: &str) -> Result<Answer, ApiError> {
    let length = file.metadata().map_err(|error| {
        tracing::error!(%error, "a file cannot be given");
        ApiError::internal()
    })?;
    let pieces = stream::unfold(tokio::fs::File::from_std(file), |mut file| async move {
        let mut piece = vec![0; PIECE];
        match file.read(&mut piece).await {
            Ok(0) => None,
            Ok(read) => {
                piece.truncate(read);
                Some((Bytes::from(piece), file))
            }
            Err(error) => {
                tracing::error!(%error, "a file could not be read to its end");
                None
            }
        }
    });
    let headers = vec![
        (header::CONTENT_TYPE, HeaderValue::from_static(media)),
        (header::CONTENT_LENGTH, HeaderValue::from(length.len())),
    ];
    let answer = Answer { status: StatusCode::OK, headers, body: Body::Events(Box::pin(pieces)) };
    Ok(answer.with(header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\"")))
}
