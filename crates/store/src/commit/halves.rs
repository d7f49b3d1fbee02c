//! Work on very many items, half of it on a second thread.
//!
//! Invariant: the answers stand in the items' order.

use std::thread;

/// Below so many items a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 4_096;

/// What `each` says of every item.
pub(super) fn mapped<T: Sync, U: Send>(items: &[T], each: impl Fn(&T) -> U + Sync) -> Vec<U> {
    if items.len() < WORTH_A_THREAD {
        return items.iter().map(each).collect();
    }
    let (left, right) = items.split_at(items.len() / 2);
    thread::scope(|scope| {
        let right = scope.spawn(|| right.iter().map(&each).collect::<Vec<U>>());
        let mut answers: Vec<U> = Vec::with_capacity(items.len());
        answers.extend(left.iter().map(&each));
        match right.join() {
            Ok(more) => answers.extend(more),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        answers
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_answers_stand_in_the_items_order() {
        for count in [0, 1, 4_095, 4_096, 10_001] {
            let items: Vec<u32> = (0..count).collect();
            assert!(super::mapped(&items, |item| item * 2).into_iter().eq((0..count).map(|item| item * 2)));
        }
    }
}
