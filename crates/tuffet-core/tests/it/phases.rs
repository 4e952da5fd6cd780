//! The typed states by themselves, as a shell may use them that stores nothing or in its own way.

use tuffet_core::trust::{Context, Policy, Refused, Rejected, Roots, WithRoot};

use tuffet_testkit::expect::rollback;
use tuffet_testkit::{NOW, Repository, World, time};

/// A repository at version 1 of everything, and the same at version 2 of everything but root.
fn before_and_after() -> [Repository; 2] {
    let before = Repository::new();
    let mut after = before.clone();
    after.publish();
    [before, after]
}

fn with_root(world: &World, check: impl FnOnce(WithRoot<'_>)) {
    let policy = Policy::default();
    let context = Context {
        crypto: &*world.crypto,
        policy: &policy,
        now: time(NOW),
    };
    let roots = Roots::trust(world.repository.root.bytes(), context).unwrap();
    check(roots.settle().unwrap());
}

fn error<T, S>(result: Result<T, Refused<S>>) -> Rejected {
    match result {
        Ok(_) => panic!("it was accepted"),
        Err(refused) => refused.error().clone(),
    }
}

#[test]
fn a33_a_stored_timestamp_is_a_floor_of_the_states_until_it_is_forgotten() {
    let [before, after] = before_and_after();
    with_root(&World::of(before.clone()), |mut state| {
        state.restore_timestamp(after.timestamp.bytes()).unwrap();
        let expected = rollback("timestamp", 2, 1);
        let refused = state.timestamp(before.timestamp.bytes()).unwrap_err();
        assert_eq!(*refused.error(), expected);
        let (state, _) = refused.into_parts();
        assert_eq!(state.purged(), None);
        state
            .clone()
            .timestamp(after.timestamp.bytes())
            .map(drop)
            .unwrap();
        state.forget().timestamp(before.timestamp.bytes()).unwrap();
    });
}

#[test]
fn a33_a_stored_snapshot_is_a_floor_of_the_states_until_it_is_forgotten() {
    let [before, after] = before_and_after();
    with_root(&World::of(before.clone()), |mut state| {
        state.restore_snapshot(after.snapshot.bytes()).unwrap();
        let offered = |state: WithRoot<'_>| {
            let state = state.timestamp(before.timestamp.bytes()).unwrap();
            state
                .snapshot(before.snapshot.bytes())
                .map(drop)
                .err()
                .map(|refused| refused.error().clone())
        };
        assert_eq!(offered(state.clone()), Some(rollback("targets", 2, 1)));
        assert_eq!(offered(state.forget()), None);
    });
}

#[test]
fn a33_what_cannot_be_a_floor_is_refused_and_is_none() {
    let [before, after] = before_and_after();
    with_root(&World::of(before.clone()), |mut state| {
        let broken = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .unwrap()
                .replace("\"version\":2", "\"version\":3")
                .into_bytes()
        };
        let timestamp = state.restore_timestamp(broken(after.timestamp.bytes()));
        assert_eq!(timestamp.unwrap_err().code(), "threshold.timestamp");
        let snapshot = state.restore_snapshot(broken(after.snapshot.bytes()));
        assert_eq!(snapshot.unwrap_err().code(), "threshold.snapshot");
        assert_eq!(
            error(state.clone().keep_timestamp()).code(),
            "offline.missing"
        );
        let state = state.timestamp(before.timestamp.bytes()).unwrap();
        assert_eq!(
            error(state.clone().keep_snapshot()).code(),
            "offline.missing"
        );
        state.snapshot(before.snapshot.bytes()).unwrap();
    });
}
