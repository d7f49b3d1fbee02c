//! Questions that are ready to be asked, as one caller sees them: kept ones and the library.

use super::{Desk, Question};
use crate::EngineError;
use crate::identity::Caller;
use crate::questions::{self, Keeper, QuestionEdit, QuestionLine};

impl Desk {
    /// Every question that a caller sees: their own, those that others share, and the library.
    ///
    /// # Errors
    ///
    /// What the database said.
    pub async fn questions(&self, caller: &Caller) -> Result<Vec<QuestionLine>, EngineError> {
        let mut lines = questions::kept(self.installation().main(), &Keeper::of(caller)).await?;
        lines.extend(questions::all().iter().map(QuestionLine::from));
        Ok(lines)
    }

    /// One question that a caller sees.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unknown`], and what the database said.
    pub async fn question(&self, caller: &Caller, id: &str) -> Result<QuestionLine, EngineError> {
        questions::find_any(self.installation().main(), &Keeper::of(caller), id).await
    }

    /// Keeps a question for a caller, or changes the one of this id.
    ///
    /// # Errors
    ///
    /// As [`questions::keep`].
    pub async fn keep_question(
        &self,
        caller: &Caller,
        id: Option<&str>,
        edit: QuestionEdit,
    ) -> Result<QuestionLine, EngineError> {
        let installation = self.installation();
        questions::keep(installation.main(), &Keeper::of(caller), id, edit, installation.clock()).await
    }

    /// Removes a question; gives what it was.
    ///
    /// # Errors
    ///
    /// As [`questions::remove`].
    pub async fn remove_question(&self, caller: &Caller, id: &str) -> Result<QuestionLine, EngineError> {
        let installation = self.installation();
        questions::remove(installation.main(), &Keeper::of(caller), id, installation.clock()).await
    }
}

impl Question {
    /// Takes a ready question: its text, and values for what it leaves open.
    ///
    /// # Errors
    ///
    /// [`EngineError::Fields`] for a value that is missing or that nothing asks for.
    pub fn take(&mut self, ready: &QuestionLine) -> Result<(), EngineError> {
        let known = |name: &str| ready.variables.iter().any(|parameter| *parameter.name == *name);
        if let Some(name) = self.variables.keys().find(|name| !known(name)) {
            return Err(EngineError::field("variables", format!("the question has no ${{{name}}}")));
        }
        for parameter in &ready.variables {
            if self.variables.contains_key(&*parameter.name) {
                continue;
            }
            let missing = || {
                let told = format!("it needs a value for ${{{}}}: {}", parameter.name, parameter.meaning);
                EngineError::field("variables", told)
            };
            let default = parameter.default.clone().ok_or_else(missing)?;
            self.variables.insert(parameter.name.to_string(), default);
        }
        self.include_deleted |= ready.include_deleted;
        ready.text.clone_into(&mut self.text);
        Ok(())
    }
}
