//! The bucket against a virtual clock; not against a server (see `tests/it`).
//!
//! Invariant: each test drives time itself, nothing sleeps for real.

use super::*;

impl Budget {
    /// A pass of a sync, as soon as there is one.
    async fn acquire(self: &Arc<Self>, meter: &Meter) -> Pass {
        self.acquire_of(Share::AboveReserve, meter).await
    }

    async fn acquire_of(self: &Arc<Self>, share: Share, meter: &Meter) -> Pass {
        self.ready(share, meter).await;
        self.take(share).unwrap()
    }

    /// What a sync is told that wants to send now; nothing is taken.
    fn sync_may_go(&self) -> Result<(), Option<Duration>> {
        self.look(&mut self.state(), Share::AboveReserve)
    }
}

/// A pool of 100 with 10 in reserve and one token a second, whose count is known to be `left`.
async fn bucket(left: u32) -> (Arc<Budget>, Meter) {
    let budget = Arc::new(Budget::new(100, 60, 0.10));
    let meter = Meter::default();
    budget.acquire(&meter).await.answered(200, Some(left));
    (budget, meter)
}

#[tokio::test(start_paused = true)]
async fn the_first_request_goes_alone_until_the_count_is_known() {
    let budget = Arc::new(Budget::new(100, 60, 0.10));
    let meter = Meter::default();
    let mut first = budget.acquire(&meter).await;
    assert_eq!(budget.sync_may_go(), Err(None));
    first.answered(200, Some(99));
    assert_eq!(budget.sync_may_go(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn the_reserve_is_never_touched() {
    let (budget, meter) = bucket(13).await;
    let start = Instant::now();
    let mut passes = Vec::new();
    for _ in 0..3 {
        passes.push(budget.acquire(&meter).await);
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    passes.push(budget.acquire(&meter).await);
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(meter.usage(None).waited, start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn requests_in_flight_are_taken_off_the_reported_count() {
    let (budget, meter) = bucket(50).await;
    let mut first = budget.acquire(&meter).await;
    let _second = budget.acquire(&meter).await;
    first.answered(200, Some(12));
    // Of the 12 reported one may be the second request's, so one more fits above the reserve of 10.
    let third = budget.take(Share::AboveReserve);
    assert!(third.is_some());
    assert!(matches!(budget.sync_may_go(), Err(Some(_))));
}

#[tokio::test(start_paused = true)]
async fn an_answer_overtaken_by_a_newer_one_does_not_raise_the_level() {
    let (budget, meter) = bucket(50).await;
    let mut first = budget.acquire(&meter).await;
    let mut second = budget.acquire(&meter).await;
    second.answered(200, Some(11));
    first.answered(200, Some(90));
    assert_eq!(budget.remaining(), Some(11));
    assert!(matches!(budget.sync_may_go(), Err(Some(_))));
}

#[tokio::test(start_paused = true)]
async fn another_tools_use_of_the_pool_is_noticed() {
    let (budget, meter) = bucket(90).await;
    budget.acquire(&meter).await.answered(200, Some(5));
    let start = Instant::now();
    budget.acquire(&meter).await;
    assert!(start.elapsed() >= Duration::from_secs(6));
}

#[tokio::test(start_paused = true)]
async fn after_a_429_one_request_learns_the_true_count() {
    let (budget, meter) = bucket(90).await;
    budget.acquire(&meter).await.answered(429, None);
    budget.pause(Duration::from_secs(2));
    let start = Instant::now();
    let mut probe = budget.acquire(&meter).await;
    assert!(start.elapsed() >= Duration::from_secs(2));
    assert_eq!(budget.sync_may_go(), Err(None));
    probe.answered(200, Some(80));
    assert_eq!(budget.sync_may_go(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_429_with_plenty_left_only_pauses() {
    let (budget, meter) = bucket(90).await;
    budget.acquire(&meter).await.answered(429, Some(88));
    assert_eq!(budget.sync_may_go(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_request_makes_way_for_the_next() {
    let budget = Arc::new(Budget::new(100, 60, 0.10));
    let meter = Meter::default();
    drop(budget.acquire(&meter).await);
    assert_eq!(budget.sync_may_go(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn provisioning_goes_on_in_the_reserve_while_a_sync_waits() {
    let (budget, meter) = bucket(10).await;
    let start = Instant::now();
    for left in (7..10).rev() {
        assert!(matches!(budget.sync_may_go(), Err(Some(_))));
        budget.acquire_of(Share::Whole, &meter).await.answered(200, Some(left));
    }
    assert_eq!((start.elapsed(), budget.remaining()), (Duration::ZERO, Some(7)));
    budget.acquire(&meter).await;
    // Four tokens must come back before the pool holds one more than the reserve.
    assert!(start.elapsed() >= Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_empty_pool_lets_nothing_out() {
    let (budget, meter) = bucket(0).await;
    let start = Instant::now();
    budget.acquire_of(Share::Whole, &meter).await;
    assert!(start.elapsed() >= Duration::from_secs(1), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_pause_after_a_429_holds_for_provisioning_too() {
    let (budget, meter) = bucket(90).await;
    budget.pause(Duration::from_secs(5));
    let start = Instant::now();
    budget.acquire_of(Share::Whole, &meter).await;
    assert!(start.elapsed() >= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_sync_stays_above_the_reserve_whatever_provisioning_uses() {
    let budget = Arc::new(Budget::new(100, 60, 0.10));
    let meter = Meter::default();
    let (mut count, mut at) = (100.0_f64, Instant::now());
    let mut serve = || {
        let now = Instant::now();
        count = (count + (now - at).as_secs_f64()).min(100.0) - 1.0;
        at = now;
        count
    };
    let told = |count: f64| Some(format!("{:.0}", count.floor()).parse::<u32>().unwrap());
    budget.acquire(&meter).await.answered(200, told(serve()));
    let mut lowest = (f64::MAX, f64::MAX);
    for round in 0..5_000 {
        let mut sync = budget.acquire(&meter).await;
        let after = serve();
        lowest.0 = lowest.0.min(after);
        sync.answered(200, told(after));
        if round % 50 == 0 {
            for _ in 0..15 {
                let mut write = budget.acquire_of(Share::Whole, &meter).await;
                let after = serve();
                lowest.1 = lowest.1.min(after);
                write.answered(200, told(after));
            }
        }
    }
    assert!(lowest.0 >= 10.0 && lowest.1 >= 0.0 && lowest.1 < 10.0, "{lowest:?}");
}

#[tokio::test(start_paused = true)]
async fn half_a_virtual_day_of_calls_stays_above_the_reserve() {
    // The server's own count, refilled continuously; calls overlap in pairs and answer out of order.
    let budget = Arc::new(Budget::new(100, 60, 0.10));
    let meter = Meter::default();
    let (mut count, mut at) = (100.0_f64, Instant::now());
    let mut lowest = count;
    let mut serve = |now: Instant| {
        count = (count + (now - at).as_secs_f64()).min(100.0) - 1.0;
        at = now;
        lowest = lowest.min(count);
        format!("{:.0}", count.floor()).parse::<u32>().unwrap()
    };
    budget.acquire(&meter).await.answered(200, Some(serve(Instant::now())));
    let end = Instant::now() + Duration::from_hours(12);
    while Instant::now() < end {
        let mut one = budget.acquire(&meter).await;
        let mut two = budget.acquire(&meter).await;
        let second = serve(Instant::now());
        let first = serve(Instant::now());
        two.answered(200, Some(second));
        one.answered(200, Some(first));
        if budget.state().granted.is_multiple_of(500) {
            tokio::time::advance(Duration::from_hours(1)).await;
        }
    }
    assert!(lowest >= 10.0, "{lowest}");
}
