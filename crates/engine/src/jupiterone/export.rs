//! Writes a version as JupiterOne's integration would have written it.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, json};

use super::folder::{Folder, MOST_OBJECTS};
use super::objects::Source;
use super::partial::Partial;
use super::steps::steps;
use super::{Estate, Options};
use crate::EngineError;

/// What an export wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// Entities.
    pub entities: u64,
    /// Relationships.
    pub relationships: u64,
    /// Files of objects.
    pub files: u64,
    /// Types of which something could not be read.
    pub partial: Vec<&'static str>,
    /// What came of each step.
    pub steps: Vec<StepResult>,
}

/// What came of one step, as the summary has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepResult {
    /// Its id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The steps that it builds on; left out where there is none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub depends_on: &'static [&'static str],
    /// The types that it may make.
    pub declared_types: Vec<&'static str>,
    /// The types of which something could not be read.
    pub partial_types: Vec<&'static str>,
    /// The types that it made.
    pub encountered_types: Vec<&'static str>,
    /// How many of each.
    pub encountered_type_counts: std::collections::BTreeMap<&'static str, u64>,
    /// How it ended, in JupiterOne's words.
    pub status: &'static str,
}

/// Writes an estate into a folder, which is made, or replaced where it is an earlier export.
///
/// # Errors
///
/// [`EngineError::ExportFolder`] where the folder is somebody else's or cannot be written, and what the database said.
pub async fn export(estate: &mut Estate, options: &Options, place: &Path) -> Result<Exported, EngineError> {
    let failed = |source| EngineError::ExportFolder { folder: place.to_owned(), source };
    let mut folder = Folder::begin(place).map_err(failed)?;
    let partial = Partial::of(&estate.scopes, options);
    let steps = steps(options);
    let mark = json!({
        "version": estate.snapshot.sync().version.0,
        "profile": options.profile.as_str(),
        "onlyOriginal": options.only_original,
    });
    let mut source = Source::new(estate, options).await?;
    let (mut results, mut entities, mut relationships) = (Vec::new(), 0, 0);
    for (step, made) in &steps {
        let mut objects = source.objects(*made).await?;
        let mut count = 0;
        for ordinal in 0.. {
            let chunk: Vec<_> = objects.by_ref().take(MOST_OBJECTS).collect();
            if chunk.is_empty() {
                break;
            }
            count += chunk.len() as u64;
            folder.write((step.id, made.word(), step.makes), ordinal, chunk).map_err(failed)?;
        }
        match made {
            super::steps::Made::Entities(_) => entities += count,
            super::steps::Made::Relationships(_) => relationships += count,
        }
        let some = |there: bool| if there { vec![step.makes] } else { Vec::new() };
        results.push(StepResult {
            id: step.id,
            name: step.name,
            depends_on: step.depends_on,
            declared_types: vec![step.makes],
            partial_types: some(partial.has(step)),
            encountered_types: some(count > 0),
            encountered_type_counts: (count > 0).then_some((step.makes, count)).into_iter().collect(),
            status: partial.status(step),
        });
    }
    let partial = partial.types(&steps);
    let mut summary = Map::new();
    summary.insert("integrationStepResults".into(), json!(results));
    summary.insert("metadata".into(), json!({ "partialDatasets": { "types": partial } }));
    let files = folder.finish(summary, mark).map_err(failed)?;
    Ok(Exported { entities, relationships, files, partial, steps: results })
}
