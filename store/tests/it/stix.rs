//! STIX objects as they are published and read, and the leases of who may.

use noroshi_proto::time::Millis;
use noroshi_store::lease::{Lease, Role};
use noroshi_store::origin::PartnerId;
use noroshi_store::retention::Retention;
use noroshi_store::stix::{Publication, Published, Versions, Wanted};
use noroshi_store::store::{Store, StoreError};

use crate::support::{config, number, open, store};

fn partner(name: &str) -> PartnerId {
    PartnerId::new(name).unwrap()
}

/// A version of an object, or an observable, which has none.
fn object(of: &str, id: &str, version: Option<u64>) -> Publication {
    Publication {
        partner: partner(of),
        id: id.to_owned(),
        kind: if version.is_some() {
            "report"
        } else {
            "ipv4-addr"
        },
        version: version.map(Millis),
        content: version.unwrap_or(u64::MAX),
        revoked: false,
        imported: false,
        body: format!("{{\"of\":\"{of}\",\"id\":\"{id}\"}}"),
    }
}

async fn lease(store: &Store, role: Role, holder: &str) -> Option<Lease> {
    let (now, until) = (Millis(1_000), Millis(60_000));
    store.acquire_lease(role, holder, now, until).await.unwrap()
}

fn wanted(versions: Versions) -> Wanted {
    Wanted {
        after: Millis(0),
        ids: Vec::new(),
        types: Vec::new(),
        versions,
        limit: 100,
    }
}

fn last() -> Versions {
    Versions {
        last: true,
        ..Versions::default()
    }
}

async fn read(store: &Store, of: &str, wanted: &Wanted) -> Vec<Published> {
    store.objects_of(&partner(of), wanted).await.unwrap()
}

fn names(found: &[Published]) -> Vec<(&str, u64)> {
    found
        .iter()
        .map(|it| (it.id.as_str(), it.version.0))
        .collect()
}

#[tokio::test]
async fn each_object_has_a_millisecond_of_its_own_behind_all_before() {
    let store = store().await;
    let publisher = lease(&store, Role::Publisher, "one").await.unwrap();
    let some = |from: u64| -> Vec<Publication> {
        let ids = from..from + 50;
        ids.flat_map(|id| {
            let id = format!("report--{id}");
            [
                object("th-cert", &id, Some(5)),
                object("my-cert", &id, Some(5)),
            ]
        })
        .collect()
    };
    for round in 0..3 {
        store.publish(&publisher, &some(round * 50)).await.unwrap();
    }
    store.publish(&publisher, &[]).await.unwrap();
    for of in ["th-cert", "my-cert"] {
        let mut all = Vec::new();
        let mut question = wanted(last());
        question.limit = 7;
        loop {
            let found = read(&store, of, &question).await;
            let Some(end) = found.last() else { break };
            question.after = end.added;
            all.extend(found);
        }
        assert!(
            all.windows(2).all(|two| two[0].added < two[1].added),
            "{of}"
        );
        let ids: Vec<String> = (0..150).map(|id| format!("report--{id}")).collect();
        assert_eq!(all.iter().map(|it| it.id.clone()).collect::<Vec<_>>(), ids);
        assert!(all.iter().all(|it| it.body.contains(of)));
    }
}

#[tokio::test]
async fn versions_ids_and_types_are_chosen_from() {
    let store = store().await;
    let publisher = lease(&store, Role::Publisher, "one").await.unwrap();
    for objects in [
        vec![
            object("th-cert", "a", Some(10)),
            object("th-cert", "ip", None),
        ],
        vec![
            object("th-cert", "b", Some(20)),
            object("my-cert", "a", Some(99)),
        ],
        vec![object("th-cert", "a", Some(30))],
    ] {
        store.publish(&publisher, &objects).await.unwrap();
    }
    let all = Versions {
        all: true,
        ..Versions::default()
    };
    let everything = read(&store, "th-cert", &wanted(all.clone())).await;
    let address = everything.iter().find(|it| it.id == "ip").unwrap();
    assert_eq!(
        address.version, address.added,
        "it has no version of its own"
    );
    let ip = address.added.0;
    assert_eq!(
        names(&everything),
        [("a", 10), ("ip", ip), ("b", 20), ("a", 30)]
    );
    let of_last = read(&store, "th-cert", &wanted(last())).await;
    assert_eq!(names(&of_last), [("ip", ip), ("b", 20), ("a", 30)]);
    let first = Versions {
        first: true,
        at: vec![Millis(30)],
        ..Versions::default()
    };
    let first = read(&store, "th-cert", &wanted(first)).await;
    assert_eq!(names(&first), [("a", 10), ("ip", ip), ("b", 20), ("a", 30)]);
    let mut narrow = wanted(last());
    narrow.types = vec!["report".to_owned()];
    narrow.after = everything[0].added;
    let narrow = read(&store, "th-cert", &narrow).await;
    assert_eq!(names(&narrow), [("b", 20), ("a", 30)]);
    let mut one = wanted(all);
    one.ids = vec!["a".to_owned(), "nothing".to_owned()];
    assert_eq!(
        names(&read(&store, "th-cert", &one).await),
        [("a", 10), ("a", 30)]
    );
    assert!(store.has_object(&partner("th-cert"), "b").await.unwrap());
    assert!(!store.has_object(&partner("my-cert"), "b").await.unwrap());
    let known = store.known_objects(&["a".to_owned()]).await.unwrap();
    let version = |of: &str| known[&(of.to_owned(), "a".to_owned())].version.0;
    assert_eq!((version("th-cert"), version("my-cert")), (30, 99));
}

#[tokio::test]
async fn roles_do_not_hinder_each_other_and_a_fenced_publisher_writes_nothing() {
    let store = store().await;
    assert!(lease(&store, Role::Analyzer, "one").await.is_some());
    let first = lease(&store, Role::Publisher, "one").await.unwrap();
    assert_eq!(lease(&store, Role::Publisher, "two").await, None);
    let late = Millis(90_000);
    let second = store
        .acquire_lease(Role::Publisher, "two", late, late)
        .await;
    assert!(second.unwrap().is_some());
    let fenced = store
        .publish(&first, &[object("th-cert", "a", Some(1))])
        .await;
    assert!(matches!(
        fenced,
        Err(StoreError::Fenced(Role::Publisher, 1))
    ));
    assert_eq!(number(&store, "SELECT count() FROM stix_objects").await, 0);
}

#[tokio::test]
async fn an_analyzers_lease_goes_on_from_where_the_older_schema_left_it() {
    let config = config(Retention::forever()).await;
    let store = open(config.clone()).await;
    for undo in [
        "INSERT INTO analyzer_lease VALUES (41, 'one', '2026-11-02 06:00:00')",
        "DROP TABLE leases",
        "DELETE FROM migrations WHERE version >= 7",
    ] {
        store.client().query(undo).execute().await.expect(undo);
    }
    let store = open(config).await;
    let lease = lease(&store, Role::Analyzer, "one").await.unwrap();
    assert_eq!(lease.token(), 42);
}

#[tokio::test]
async fn what_rests_on_imported_evidence_goes_sooner() {
    let store = open(config(Retention::default()).await).await;
    let now = store.wall_time().await.unwrap();
    for (id, age_days, imported) in [
        ("old", 367, 0),
        ("kept", 365, 0),
        ("imported-old", 31, 1),
        ("imported-kept", 29, 1),
    ] {
        let added = Millis(now.0 - age_days * 86_400_000);
        let insert = format!(
            "INSERT INTO stix_objects SETTINGS date_time_input_format = 'best_effort' VALUES \
             ('th-cert', '{added}', '{id}', 'report', '{added}', 1, 0, {imported}, '{{}}')"
        );
        store.client().query(&insert).execute().await.unwrap();
    }
    let optimize = store.client().query("OPTIMIZE TABLE stix_objects FINAL");
    optimize.execute().await.unwrap();
    let left = read(&store, "th-cert", &wanted(last())).await;
    let ids: Vec<&str> = left.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["kept", "imported-kept"]);
}
