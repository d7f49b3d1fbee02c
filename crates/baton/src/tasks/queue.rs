//! Tasks that were fetched and wait for their turn, and those that run.
//!
//! Invariant: a task stands in it once, however often C1 hands it out.

use std::collections::{BTreeSet, VecDeque};

use tokio::time::Instant;

use crate::proto::tasks::{Task, task::TaskType};

/// The most tasks that C1 gives at one time.
const MOST: usize = 100;

#[derive(Debug)]
pub(super) struct Queue {
    waiting: VecDeque<(Task, Instant)>,
    running: BTreeSet<String>,
    concurrency: usize,
}

impl Queue {
    pub(super) fn new(concurrency: usize) -> Self {
        Self { waiting: VecDeque::new(), running: BTreeSet::new(), concurrency }
    }

    /// Takes tasks in, without those that it has; tells how many were new.
    pub(super) fn add(&mut self, tasks: impl IntoIterator<Item = Task>) -> usize {
        let before = self.waiting.len();
        for task in tasks {
            let nothing = matches!(task.task_type, Some(TaskType::None(_)));
            let known = self.running.contains(&task.id)
                || self.waiting.iter().any(|(waiting, _)| waiting.id == task.id);
            if !nothing && !known {
                self.waiting.push_back((task, Instant::now()));
            }
        }
        self.waiting.len() - before
    }

    /// The next task to run, and since when it waits; none where as many run as may.
    pub(super) fn start(&mut self) -> Option<(Task, Instant)> {
        if self.running.len() >= self.concurrency {
            return None;
        }
        let (task, since) = self.waiting.pop_front()?;
        self.running.insert(task.id.clone());
        Some((task, since))
    }

    pub(super) fn end(&mut self, id: &str) {
        self.running.remove(id);
    }

    /// Takes out everything that waits.
    pub(super) fn empty(&mut self) -> Vec<Task> {
        self.waiting.drain(..).map(|(task, _)| task).collect()
    }

    /// Whether a single task may be asked for: one that is given can run at once.
    pub(super) fn has_room(&self) -> bool {
        self.waiting.is_empty() && self.running.len() < self.concurrency
    }

    /// How many tasks a batch may have; none while there are enough.
    pub(super) fn batch(&self) -> Option<usize> {
        let known = self.waiting.len() + self.running.len();
        (known < self.concurrency).then(|| (2 * self.concurrency - known).min(MOST))
    }

    /// The ids of all tasks that it has.
    pub(super) fn known(&self) -> Vec<String> {
        self.waiting.iter().map(|(task, _)| &task.id).chain(&self.running).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::tasks::task::NoneTask;

    fn task(id: &str) -> Task {
        Task { id: id.to_owned(), ..Task::default() }
    }

    #[test]
    fn a_task_that_comes_again_is_not_taken_again() {
        let mut queue = Queue::new(2);
        assert_eq!(queue.add([task("a"), task("b"), task("a")]), 2);
        assert_eq!(queue.start().unwrap().0.id, "a");
        assert_eq!(queue.add([task("a"), task("b")]), 0);
        queue.end("a");
        assert_eq!(queue.add([task("a")]), 1, "what has ended may come again");
    }

    #[test]
    fn no_more_run_than_may() {
        let mut queue = Queue::new(1);
        queue.add([task("a"), task("b")]);
        assert!(queue.start().is_some() && queue.start().is_none());
        queue.end("a");
        assert_eq!(queue.start().unwrap().0.id, "b");
    }

    #[test]
    fn a_batch_fills_up_to_twice_of_what_may_run() {
        let mut queue = Queue::new(3);
        assert_eq!(queue.batch(), Some(6));
        queue.add([task("a"), task("b")]);
        queue.start();
        assert_eq!(queue.batch(), Some(4));
        assert_eq!(queue.known(), ["b", "a"]);
        queue.add([task("c")]);
        assert_eq!(queue.batch(), None);
        assert_eq!(Queue::new(100).batch(), Some(100));
    }

    #[test]
    fn nothing_is_no_task() {
        let nothing = Task { task_type: Some(TaskType::None(NoneTask::default())), ..task("a") };
        assert_eq!(Queue::new(1).add([nothing]), 0);
    }
}
