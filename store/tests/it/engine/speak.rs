//! What the HTTP face says and understands.

use clickhouse::{Compression, Row};
use noroshi_store::engine::testing;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Flow, count, flow, insert, with_table};

#[tokio::test]
async fn rows_come_back_as_they_went_in() {
    let client = with_table(&testing::database().await).await;
    let flows: Vec<Flow> = (0..1_000).map(flow).collect();
    insert(&client, flows.clone()).await;
    let plain = client.clone().with_compression(Compression::None);
    insert(&plain, flows.clone()).await;

    let question = "SELECT ?fields FROM flows WHERE packets < {below:UInt64} ORDER BY packets";
    let found = client.query(question).param("below", 500_u64);
    let found: Vec<Flow> = found.fetch_all().await.unwrap();
    let expected: Vec<Flow> = flows
        .iter()
        .take(500)
        .flat_map(|f| [f.clone(), f.clone()])
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_large_answer_comes_in_pieces_and_is_whole() {
    #[derive(Row, Deserialize)]
    struct Number {
        number: u64,
        text: String,
    }
    let client = testing::database().await.client();
    let question = "-- what\nSELECT number, toString(number) AS text FROM numbers(1000000)";
    let mut cursor = client.query(question).fetch::<Number>().unwrap();
    let mut expected = 0;
    while let Some(row) = cursor.next().await.unwrap() {
        assert_eq!((row.number, row.text), (expected, expected.to_string()));
        expected += 1;
    }
    assert_eq!(expected, 1_000_000);
}

#[tokio::test]
async fn parameters_are_values_and_never_sql() {
    let client = testing::database().await.client();
    for text in [
        "it's",
        "back\\slash",
        "line\nand\ttab",
        "雪",
        "'; DROP TABLE t; --",
        "",
    ] {
        let question = client.query("SELECT {text:String}").param("text", text);
        let found: String = question.fetch_one().await.unwrap();
        assert_eq!(found, text);
    }
    let many: Vec<u32> = (0..5_000).collect();
    let question = client.query("SELECT sum(arrayJoin({many:Array(UInt32)}))");
    let found: u64 = question.param("many", &many).fetch_one().await.unwrap();
    assert_eq!(found, 4_999 * 5_000 / 2);
}

#[tokio::test]
async fn an_error_says_what_and_where() {
    let client = testing::database().await.client();
    let unknown = client
        .query("SELECT * FROM nowhere")
        .execute()
        .await
        .unwrap_err();
    let unknown = unknown.to_string();
    assert!(
        unknown.contains("Code: 60.") && unknown.contains("nowhere"),
        "{unknown}"
    );

    let setting = client
        .query("SELECT 1")
        .with_setting("no_such_setting", "1");
    let setting = setting.execute().await.unwrap_err().to_string();
    assert!(
        setting.contains("Code: 115.") && setting.contains("no_such_setting"),
        "{setting}"
    );

    let two = client
        .query("SELECT 1; SELECT 2")
        .execute()
        .await
        .unwrap_err()
        .to_string();
    assert!(two.contains("Multi-statements are not allowed"), "{two}");

    let missing = client.clone().with_database("no_such_database");
    let missing = missing
        .query("SELECT 1")
        .execute()
        .await
        .unwrap_err()
        .to_string();
    assert!(missing.contains("Code: 81."), "{missing}");

    let late = client.query(
        "SELECT toUInt64(number + throwIf(number = 900000)) FROM numbers(1000000) \
         SETTINGS max_block_size = 1000, max_threads = 1",
    );
    let late = late.fetch_all::<u64>().await;
    assert!(late.is_err(), "an answer that broke off is an error");
}

#[tokio::test]
async fn settings_hold_for_one_request() {
    let client = testing::database().await.client();
    let question = "SELECT toString(getSetting('max_threads'))";
    let with = client.query(question).with_setting("max_threads", "7");
    assert_eq!(with.fetch_one::<String>().await.unwrap(), "7");
    assert_ne!(
        client.query(question).fetch_one::<String>().await.unwrap(),
        "7"
    );
    let reading = client.query("CREATE TABLE t (a UInt8) ENGINE = Memory");
    let refused = reading
        .with_setting("readonly", "1")
        .execute()
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("Code: 164."), "{refused}");
}

#[derive(Row, Serialize)]
struct Token {
    a: u32,
}

/// One insert of the same rows under a token.
async fn insert_under(client: &clickhouse::Client, token: &str) {
    let client = client
        .clone()
        .with_setting("async_insert", "0")
        .with_setting("insert_deduplication_token", token);
    let mut insert = client.insert::<Token>("base").await.unwrap();
    for a in 0..100_000 {
        insert.write(&Token { a }).await.unwrap();
    }
    insert.end().await.unwrap();
}

#[tokio::test]
async fn a_token_counts_once_in_the_table_and_in_the_views_target() {
    let client = testing::database().await.client();
    for statement in [
        "CREATE TABLE base (a UInt32) ENGINE = MergeTree ORDER BY a \
         SETTINGS non_replicated_deduplication_window = 100",
        "CREATE TABLE rollup (part UInt32, rows UInt64) ENGINE = SummingMergeTree ORDER BY part \
         SETTINGS non_replicated_deduplication_window = 100",
        "CREATE MATERIALIZED VIEW fold TO rollup AS \
         SELECT a % 10 AS part, count() AS rows FROM base GROUP BY part",
    ] {
        client.query(statement).execute().await.unwrap();
    }
    client
        .query("SYSTEM STOP MERGES base")
        .execute()
        .await
        .unwrap();
    for token in ["sensor-1", "sensor-1", "sensor-2", "sensor-1"] {
        insert_under(&client, token).await;
    }
    assert_eq!(count(&client, "base").await, 200_000);
    let rolled: u64 = client
        .query("SELECT sum(rows) FROM rollup")
        .fetch_one()
        .await
        .unwrap();
    assert_eq!(rolled, 200_000);
    // 100,000 rows are one block, and so one part: a token stands for all of them.
    let parts = "SELECT rows FROM system.parts \
                 WHERE database = currentDatabase() AND table = 'base' AND active";
    let parts: Vec<u64> = client.query(parts).fetch_all().await.unwrap();
    assert_eq!(parts, [100_000, 100_000]);
}

#[tokio::test]
async fn an_insert_that_breaks_off_commits_nothing() {
    let endpoint = testing::database().await;
    let client = with_table(&endpoint).await;
    let mut insert = client.insert::<Flow>("flows").await.unwrap();
    for number in 0..100_000 {
        insert.write(&flow(number)).await.unwrap();
    }
    drop(insert); // the client's way of breaking off

    // Whole frames, and then the end of the connection instead of the last chunk.
    let mut raw = connect(&endpoint.url).await;
    let head = format!(
        "POST /?query=INSERT+INTO+{}.flows(packets)+FORMAT+TSV HTTP/1.1\r\nHost: engine\r\n\
         X-ClickHouse-User: {}\r\nX-ClickHouse-Key: {}\r\nTransfer-Encoding: chunked\r\n\r\n\
         4\r\n1\n2\n\r\n",
        endpoint.database, endpoint.user, endpoint.password
    );
    raw.write_all(head.as_bytes()).await.unwrap();
    raw.shutdown().await.unwrap();
    let mut answer = String::new();
    raw.read_to_string(&mut answer).await.unwrap();
    assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");

    // The same with its last chunk is an insert.
    let mut raw = connect(&endpoint.url).await;
    raw.write_all(format!("{head}0\r\n\r\n").as_bytes())
        .await
        .unwrap();
    assert!(answered(&mut raw).await.starts_with("HTTP/1.1 200"));
    assert_eq!(count(&client, "flows").await, 2);
}

#[tokio::test]
async fn a_spoiled_frame_commits_nothing() {
    let endpoint = testing::database().await;
    let client = with_table(&endpoint).await;
    let answer = post(
        &endpoint,
        &format!(
            "/?decompress=1&query=INSERT+INTO+{}.flows(packets)+FORMAT+TSV",
            endpoint.database
        ),
        "this is not a compressed frame, however long it may be",
    )
    .await;
    assert!(
        answer.starts_with("HTTP/1.1 400") && answer.contains("Code: 271."),
        "{answer}"
    );
    assert_eq!(count(&client, "flows").await, 0);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_at_once() {
    let endpoint = testing::database().await;
    let mut raw = connect(&endpoint.url).await;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: engine\r\nX-ClickHouse-User: {}\r\nX-ClickHouse-Key: {}\r\n\
         Content-Length: {}\r\n\r\n",
        endpoint.user,
        endpoint.password,
        256 * 1024 * 1024 + 1
    );
    raw.write_all(head.as_bytes()).await.unwrap();
    let answer = answered(&mut raw).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn people_ask_in_their_own_formats() {
    let endpoint = testing::database().await;
    let get = |query: &str| {
        let target = format!("/?query={query}");
        let endpoint = &endpoint;
        async move { request(endpoint, "GET", &target, "").await }
    };
    assert!(
        get("SELECT+1+AS+a,'x'+AS+b")
            .await
            .ends_with("1\tx\n\r\n0\r\n\r\n")
    );
    assert!(
        get("SELECT+1+AS+a,'x'+AS+b+FORMAT+CSV")
            .await
            .contains("1,\"x\"\n")
    );
    let json = get("SELECT+1+AS+a&default_format=JSON").await;
    assert!(
        json.contains("\"data\":") && json.contains("\"rows\": 1"),
        "{json}"
    );
    assert!(
        get("SELECT+1+AS+a&default_format=JSONEachRow")
            .await
            .contains("{\"a\":1}")
    );
    let refused = get("CREATE+TABLE+t+(a+UInt8)+ENGINE=Memory").await;
    assert!(
        refused.starts_with("HTTP/1.1 403") && refused.contains("use POST"),
        "{refused}"
    );
    assert!(post(&endpoint, "/", "SELECT 2").await.contains("2\n"));
}

#[tokio::test]
async fn strangers_are_not_answered() {
    let endpoint = testing::database().await;
    let mut stranger = endpoint.clone();
    stranger.password = "guess".to_owned();
    let refused = stranger
        .client()
        .query("SELECT 1")
        .execute()
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("Code: 516."), "{refused}");
    let mut raw = connect(&endpoint.url).await;
    raw.write_all(b"GET /ping HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    raw.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("Ok.\n"), "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_ask_and_insert_at_once() {
    let client = with_table(&testing::database().await).await;
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..40_u32 {
        let client = client.clone();
        workers.spawn(async move {
            for round in 0..5 {
                let first = (worker * 5 + round) * 100;
                insert(&client, (first..first + 100).map(flow)).await;
                let seen: u64 = client
                    .query("SELECT count() FROM flows WHERE packets >= {a:UInt64} AND packets < {b:UInt64}")
                    .param("a", first)
                    .param("b", first + 100)
                    .fetch_one()
                    .await
                    .unwrap();
                assert_eq!(seen, 100, "what was acknowledged is seen at once");
            }
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker.unwrap();
    }
    assert_eq!(count(&client, "flows").await, 20_000);
}

async fn connect(url: &str) -> TcpStream {
    TcpStream::connect(url.strip_prefix("http://").unwrap())
        .await
        .unwrap()
}

async fn post(endpoint: &noroshi_store::engine::Endpoint, target: &str, body: &str) -> String {
    request(endpoint, "POST", target, body).await
}

async fn request(
    endpoint: &noroshi_store::engine::Endpoint,
    method: &str,
    target: &str,
    body: &str,
) -> String {
    let mut raw = connect(&endpoint.url).await;
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n\
         X-ClickHouse-User: {}\r\nX-ClickHouse-Key: {}\r\nContent-Length: {}\r\n\r\n{body}",
        endpoint.user,
        endpoint.password,
        body.len()
    );
    raw.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    raw.read_to_string(&mut answer).await.unwrap();
    answer
}

/// The beginning of an answer, its first line at least, of a connection that stays open.
async fn answered(raw: &mut TcpStream) -> String {
    let mut buffer = vec![0; 65_536];
    let length = raw.read(&mut buffer).await.unwrap();
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}
