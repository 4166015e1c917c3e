//! The tables: numbered, forward-only changes, each applied once, and how long rows stay.
//!
//! The same files serve the embedded engine, one server and a cluster. Placeholders:
//!
//! | placeholder       | alone                                   | in a cluster                        |
//! |-------------------|-----------------------------------------|-------------------------------------|
//! | `{local}`         | nothing                                 | `_local`: the replicated table       |
//! | `{replicated}`    | nothing                                 | `Replicated`                         |
//! | `{on_cluster}`    | nothing                                 | ` ON CLUSTER 'name'`                 |
//! | `{cluster}`       | –                                       | `'name'`                             |
//! | `{cluster_only}`  | the statement is left out               | the statement runs                   |
//! | `{deduplication}` | how many inserts a table remembers      | the same for replicated tables       |

use clickhouse::{Client, Row};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::retention::Retention;
use crate::store::StoreError;

/// One numbered change.
struct Migration {
    version: u32,
    name: &'static str,
    sql: &'static str,
}

/// Every change, oldest first. To change the schema add a file and a line; never touch an old one.
const MIGRATIONS: [Migration; 17] = [
    Migration {
        version: 1,
        name: "flow_tuples",
        sql: include_str!("../migrations/0001_flow_tuples.sql"),
    },
    Migration {
        version: 2,
        name: "batch_ledger",
        sql: include_str!("../migrations/0002_batch_ledger.sql"),
    },
    Migration {
        version: 3,
        name: "coarser_rollups",
        sql: include_str!("../migrations/0003_coarser_rollups.sql"),
    },
    Migration {
        version: 4,
        name: "alerts",
        sql: include_str!("../migrations/0004_alerts.sql"),
    },
    Migration {
        version: 5,
        name: "positions",
        sql: include_str!("../migrations/0005_positions.sql"),
    },
    Migration {
        version: 6,
        name: "people",
        sql: include_str!("../migrations/0006_people.sql"),
    },
    Migration {
        version: 7,
        name: "publications",
        sql: include_str!("../migrations/0007_publications.sql"),
    },
    Migration {
        version: 8,
        name: "deliveries",
        sql: include_str!("../migrations/0008_deliveries.sql"),
    },
    Migration {
        version: 9,
        name: "changes_by_partner",
        sql: include_str!("../migrations/0009_changes_by_partner.sql"),
    },
    Migration {
        version: 10,
        name: "sensor_hellos",
        sql: include_str!("../migrations/0010_sensor_hellos.sql"),
    },
    Migration {
        version: 11,
        name: "classes",
        sql: include_str!("../migrations/0011_classes.sql"),
    },
    Migration {
        version: 12,
        name: "places",
        sql: include_str!("../migrations/0012_places.sql"),
    },
    Migration {
        version: 13,
        name: "by_time",
        sql: include_str!("../migrations/0013_by_time.sql"),
    },
    Migration {
        version: 14,
        name: "small_granules",
        sql: include_str!("../migrations/0014_small_granules.sql"),
    },
    Migration {
        version: 15,
        name: "place_services",
        sql: include_str!("../migrations/0015_place_services.sql"),
    },
    Migration {
        version: 16,
        name: "by_source",
        sql: include_str!("../migrations/0016_by_source.sql"),
    },
    Migration {
        version: 17,
        name: "case_namespace",
        sql: include_str!("../migrations/0017_case_namespace.sql"),
    },
];

/// Inserts a table remembers by token. Only a resend within seconds meets it; beyond, the ledger
/// and the rows themselves say what is held.
const DEDUPLICATION_WINDOW: u32 = 10_000;

/// A row of `migrations`.
#[derive(Clone, Debug, Row, Serialize, Deserialize)]
struct Applied {
    version: u32,
    name: String,
    checksum: String,
}

/// Brings the database up to this program's schema.
///
/// # Errors
/// [`StoreError::Newer`] where a newer program made the store, [`StoreError::Altered`] where a
/// change that was applied is no longer the one this program knows.
pub(crate) async fn migrate(client: &Client, cluster: Option<&str>) -> Result<(), StoreError> {
    let table = render(include_str!("../queries/create_migrations.sql"), cluster);
    for statement in statements(&table) {
        client.query(statement).execute().await?;
    }
    let applied = client
        .query(include_str!("../queries/applied_migrations.sql"))
        .fetch_all::<Applied>()
        .await?;
    check(&applied)?;
    let known = applied.last().map_or(0, |last| last.version);
    for migration in MIGRATIONS.iter().filter(|m| m.version > known) {
        apply(client, migration, cluster).await?;
    }
    Ok(())
}

/// Compares what was applied with what this program knows.
fn check(applied: &[Applied]) -> Result<(), StoreError> {
    for row in applied {
        let Some(known) = MIGRATIONS.iter().find(|m| m.version == row.version) else {
            return Err(StoreError::Newer {
                store: row.version,
                program: MIGRATIONS.len() as u32,
            });
        };
        if checksum(known.sql) != row.checksum {
            return Err(StoreError::Altered(format!(
                "{:04}_{}",
                row.version, row.name
            )));
        }
    }
    Ok(())
}

async fn apply(
    client: &Client,
    migration: &Migration,
    cluster: Option<&str>,
) -> Result<(), StoreError> {
    let sql = render(migration.sql, cluster);
    for statement in statements(&sql) {
        client.query(statement).execute().await?;
    }
    let mut insert = client.insert::<Applied>("migrations").await?;
    insert
        .write(&Applied {
            version: migration.version,
            name: migration.name.to_owned(),
            checksum: checksum(migration.sql),
        })
        .await?;
    insert.end().await?;
    tracing::info!(
        version = migration.version,
        name = migration.name,
        "schema changed"
    );
    Ok(())
}

/// Sets each table's TTL where it is not what `retention` asks for.
///
/// Gives the names of the tables that were changed.
pub(crate) async fn retain(
    client: &Client,
    cluster: Option<&str>,
    retention: &Retention,
) -> Result<Vec<&'static str>, StoreError> {
    let mut changed = Vec::new();
    for (table, wanted) in retention.ttls() {
        let name = render(&format!("{table}{{local}}"), cluster);
        let engine = client
            .query(include_str!("../queries/table_engine.sql"))
            .param("table", &name)
            .fetch_one::<String>()
            .await?;
        let alter = match (&wanted, ttl_of(&engine)) {
            (None, None) => continue,
            (Some(wanted), Some(is)) if wanted == is => continue,
            (Some(wanted), _) => format!("MODIFY TTL {wanted}"),
            (None, Some(_)) => "REMOVE TTL".to_owned(),
        };
        let statement = render(
            &format!("ALTER TABLE {table}{{local}}{{on_cluster}} {alter}"),
            cluster,
        );
        client.query(&statement).execute().await?;
        changed.push(table);
    }
    Ok(changed)
}

/// The TTL within a table's engine clause, as `system.tables` writes it.
fn ttl_of(engine: &str) -> Option<&str> {
    let (_, after) = engine.split_once(" TTL ")?;
    Some(after.split_once(" SETTINGS ").map_or(after, |(ttl, _)| ttl))
}

/// Fills in the placeholders.
fn render(sql: &str, cluster: Option<&str>) -> String {
    let quoted = cluster.map(|name| format!("'{}'", name.replace(['\'', '\\'], "")));
    let window = match quoted {
        None => format!("non_replicated_deduplication_window = {DEDUPLICATION_WINDOW}"),
        Some(_) => format!("replicated_deduplication_window = {DEDUPLICATION_WINDOW}"),
    };
    let on_cluster = quoted
        .as_ref()
        .map_or_else(String::new, |name| format!(" ON CLUSTER {name}"));
    let kept: Vec<&str> = statements(sql)
        .filter(|statement| quoted.is_some() || !statement.starts_with("{cluster_only}"))
        .collect();
    kept.join(";\n\n")
        .replace("{cluster_only} ", "")
        .replace("{local}", if quoted.is_some() { "_local" } else { "" })
        .replace(
            "{replicated}",
            if quoted.is_some() { "Replicated" } else { "" },
        )
        .replace("{on_cluster}", &on_cluster)
        .replace("{cluster}", quoted.as_deref().unwrap_or_default())
        .replace("{deduplication}", &window)
}

/// The statements of a file, leading comments left out.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(";\n")
        .map(without_comments)
        .filter(|statement| !statement.is_empty())
}

fn without_comments(statement: &str) -> &str {
    let mut rest = statement.trim();
    while let Some(comment) = rest.strip_prefix("--") {
        rest = comment
            .split_once('\n')
            .map_or("", |(_, after)| after.trim_start());
    }
    rest.trim_end_matches(';')
}

fn checksum(sql: &str) -> String {
    let digest = Sha256::digest(sql.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_gaps() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(migration.version as usize, index + 1, "{}", migration.name);
        }
    }

    #[test]
    fn no_placeholder_stays() {
        for migration in &MIGRATIONS {
            for cluster in [None, Some("region")] {
                let sql = render(migration.sql, cluster);
                // what stays are parameters of a view, each with its type
                let mut left = sql
                    .split('{')
                    .skip(1)
                    .filter_map(|rest| rest.split('}').next());
                assert!(
                    left.all(|left| left.contains(':')),
                    "{} in {cluster:?}",
                    migration.name
                );
            }
        }
    }

    #[test]
    fn a_cluster_gets_replicas_and_faces() {
        let sql = render(MIGRATIONS[0].sql, Some("region"));
        assert!(sql.contains("flow_tuples_local ON CLUSTER 'region'"));
        assert!(sql.contains("ENGINE = ReplicatedMergeTree"));
        assert!(sql.contains("Distributed('region', currentDatabase(), flow_tuples_local"));
        let alone = render(MIGRATIONS[0].sql, None);
        assert!(!alone.contains("Distributed") && !alone.contains("Replicated"));
        assert_eq!(statements(&alone).count(), 3);
    }

    /// Replicas cannot run without their servers; that the statements parse can be seen anywhere.
    #[tokio::test]
    async fn a_clusters_statements_parse() {
        let client = crate::engine::testing::database().await.client();
        for migration in &MIGRATIONS {
            let sql = render(migration.sql, Some("region"));
            // rows are copied through the faces, once for all replicas
            for statement in statements(&sql).filter(|sql| !sql.starts_with("INSERT")) {
                let formatted = client
                    .query("SELECT formatQuery({statement:String})")
                    .param("statement", statement)
                    .fetch_one::<String>()
                    .await
                    .expect(migration.name);
                assert!(formatted.contains("ON CLUSTER"), "{formatted}");
            }
        }
    }

    #[test]
    fn a_newer_store_is_refused() {
        let newer = Applied {
            version: 99,
            name: "later".into(),
            checksum: String::new(),
        };
        assert!(matches!(
            check(&[newer]),
            Err(StoreError::Newer { store: 99, .. })
        ));
    }

    #[test]
    fn an_altered_migration_is_refused() {
        let altered = Applied {
            version: 1,
            name: "flow_tuples".into(),
            checksum: "0".into(),
        };
        assert!(
            matches!(check(&[altered]), Err(StoreError::Altered(name)) if name == "0001_flow_tuples")
        );
    }
}
