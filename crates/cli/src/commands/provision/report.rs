//! What a plan says to people, and what became of it to programs.

use std::fmt::Write as _;

use metsuke_engine::access::provision::{Applied, Outcome, Refusal};
use metsuke_engine::desk::ApprovalShown;
use metsuke_model::Grant;
use metsuke_model::plan::{Plan, PlannedCall, Step};
use serde::Serialize;

use crate::args::Format;
use crate::context::Context;
use crate::failure::Exit;
use crate::output::complain;
use crate::text::shown;

/// The answer of a command that changes access.
#[derive(Debug, Serialize)]
pub(super) struct Answer<'p> {
    plan: AnswerPlan<'p>,
    outcome: &'static str,
    grants_added: Vec<Grant>,
    grants_removed: Vec<Grant>,
    calls: u32,
    reason: Option<String>,
    #[serde(skip)]
    hint: Option<String>,
    #[serde(skip)]
    exit: Exit,
}

/// The plan of an answer; there is none where nothing is to be done, or nothing may be.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum AnswerPlan<'p> {
    Some(Told<'p>),
    None { id: (), hash: (), steps: [(); 0] },
}

/// A plan, for programs.
#[derive(Debug, Serialize)]
pub(super) struct Told<'p> {
    id: String,
    hash: String,
    confirm_count: usize,
    #[serde(flatten)]
    plan: &'p Plan,
}

impl<'p> Told<'p> {
    pub(super) fn of(plan: &'p Plan) -> Self {
        Self { id: plan.id(), hash: plan.hash(), confirm_count: plan.confirm_count(), plan }
    }
}

impl<'p> Answer<'p> {
    fn bare(outcome: &'static str, exit: Exit) -> Self {
        Self {
            plan: AnswerPlan::None { id: (), hash: (), steps: [] },
            outcome,
            grants_added: Vec::new(),
            grants_removed: Vec::new(),
            calls: 0,
            reason: None,
            hint: None,
            exit,
        }
    }

    /// Everything is as wished.
    pub(super) fn unchanged(why: String) -> Self {
        Self { reason: Some(why), ..Self::bare("unchanged", Exit::Done) }
    }

    /// Refused before there was a plan.
    pub(super) fn refused(refusal: Refusal) -> Self {
        let reason = Some(refusal.words());
        Self { reason, hint: refusal.hint, ..Self::bare("refused", Exit::RefusedByRule) }
    }

    /// Stored, not applied.
    pub(super) fn planned(plan: &'p Plan) -> Self {
        let hint = format!("`metsuke apply {}` applies it", plan.id());
        Self { plan: AnswerPlan::Some(Told::of(plan)), hint: Some(hint), ..Self::bare("planned", Exit::Done) }
    }

    /// Applied, as far as that went.
    pub(super) fn applied(plan: &'p Plan, applied: Applied) -> Self {
        let exit = match applied.outcome {
            Outcome::Applied | Outcome::Unchanged => Exit::Done,
            Outcome::Frozen | Outcome::Unapproved | Outcome::RefusedByRule => Exit::RefusedByRule,
            Outcome::RefusedByHeroku => Exit::RefusedByHeroku,
            Outcome::NotSent | Outcome::Unknown => Exit::Failure,
        };
        Self {
            plan: AnswerPlan::Some(Told::of(plan)),
            outcome: applied.outcome.as_str(),
            grants_added: applied.added,
            grants_removed: applied.removed,
            calls: applied.calls,
            reason: applied.reason,
            hint: applied.hint,
            exit,
        }
    }

    /// Prints it.
    ///
    /// # Errors
    ///
    /// What writing to stdout met.
    pub(super) fn print(self, context: &Context) -> anyhow::Result<Exit> {
        let exit = self.exit;
        if context.output.format == Format::Table {
            context.output.print(&self.for_people()?)?;
        } else {
            context.output.document(&self)?;
            if let Some(reason) = self.reason.as_deref().filter(|_| exit != Exit::Done) {
                complain(&format!("error: {}", shown(reason)));
            }
        }
        if let Some(hint) = &self.hint {
            context.note(&format!("hint: {hint}"));
        }
        Ok(exit)
    }

    fn for_people(&self) -> Result<String, std::fmt::Error> {
        let mut text = match (&self.plan, self.reason.as_deref()) {
            (AnswerPlan::Some(plan), Some(reason)) => {
                format!("Plan {}: {}: {}\n", plan.id, self.outcome, shown(reason))
            }
            (AnswerPlan::Some(plan), None) => format!("Plan {}: {}\n", plan.id, self.outcome),
            (AnswerPlan::None { .. }, Some(reason)) => {
                format!("{}: {}\n", sentence_case(self.outcome), shown(reason))
            }
            (AnswerPlan::None { .. }, None) => format!("{}\n", sentence_case(self.outcome)),
        };
        for (sign, grants) in [("+", &self.grants_added), ("-", &self.grants_removed)] {
            for grant in grants {
                let who = grant.principal.email.as_deref().unwrap_or("somebody");
                let resource = grant.resource.resource_type.as_str();
                writeln!(
                    text,
                    "  {sign} {}: {} on {resource} {}",
                    shown(who),
                    shown(&grant.entitlement),
                    shown(&grant.resource.name)
                )?;
            }
        }
        Ok(text)
    }
}

fn sentence_case(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Shows a plan to people.
///
/// # Errors
///
/// What writing to stdout met.
pub(super) fn show_plan(context: &Context, plan: &Plan) -> anyhow::Result<()> {
    let output = context.output;
    let mut text = format!("{}\n", output.heading(&format!("Plan {}: {}", plan.id(), shown(&plan.title))));
    if let Some(reason) = &plan.reason {
        writeln!(text, "  because: {}", shown(reason))?;
    }
    text.push_str("\nSteps\n");
    for step in &plan.steps {
        writeln!(text, "  {}. {}\n     {}", step.ordinal, shown(&told_step(step)), told_call(&step.call))?;
    }
    let sentences = plan.effects.get("sentences").and_then(serde_json::Value::as_array);
    let sentences: Vec<&str> =
        sentences.into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    if !sentences.is_empty() {
        text.push_str("\nEffects\n");
        for sentence in sentences {
            writeln!(text, "  {}", shown(sentence))?;
        }
    }
    if !plan.warnings.is_empty() {
        text.push_str("\nNote\n");
        for warning in &plan.warnings {
            writeln!(text, "  {}", shown(warning))?;
        }
    }
    text.push('\n');
    output.print(&text)?;
    Ok(())
}

/// What a plan needs of others, and who approved it; nothing where nobody has to.
pub(super) fn told_approval(approval: &ApprovalShown) -> String {
    let given = approval.approvals.iter().map(|given| format!("  by {} at {}\n", shown(&given.by), given.at));
    let needs = match (approval.missing, approval.why.as_deref()) {
        (_, None) => String::new(),
        (0, Some(why)) => format!("Approval: given, because {}\n", shown(why)),
        (1, Some(why)) => format!("Approval: somebody else has to approve it, because {}\n", shown(why)),
        (missing, Some(why)) => {
            format!("Approval: {missing} people have to approve it, because {}\n", shown(why))
        }
    };
    given.fold(needs, |text, line| text + &line)
}

fn told_step(step: &Step) -> String {
    format!(
        "{} on {} {}: {} → {}",
        step.person.email,
        step.resource.resource_type.as_str(),
        step.resource.name,
        step.expected.words(),
        step.wished.words()
    )
}

fn told_call(call: &PlannedCall) -> String {
    let body = call.body.as_ref().map(|body| format!(" {body}")).unwrap_or_default();
    format!("{} {}{}", call.method, shown(&call.path), shown(&body))
}
