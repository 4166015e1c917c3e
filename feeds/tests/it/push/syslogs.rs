//! CEF over syslog.

use super::sinks;
use super::site::{Site, alert};

#[tokio::test]
async fn each_change_is_a_line_also_what_could_wait() {
    let site = Site::open().await;
    let sink = sinks::syslog(None).await;
    let table = format!(
        "[partner.syslog]\naddress = \"127.0.0.1:{}\"\ntls = false\n",
        sink.port
    );
    let deliverer = site.push(&table, "").await;
    for number in 1..=30 {
        let mut case = alert(number, "th-cert");
        if number == 30 {
            case.severity = noroshi_store::alert::Severity::Info;
        }
        site.record(case, 1).await;
    }
    let lines = sink.inbox.wait_for(30).await;
    deliverer.end().await;
    for line in &lines {
        assert!(
            line.contains(" noroshi noroshi - opened - CEF:0|Noroshi|Noroshi|"),
            "{line}"
        );
        assert!(
            line.contains("|mirai_syn|infected_host|") && line.contains(" act=opened "),
            "{line}"
        );
        assert!(line.contains("src=203.0.113.7"), "{line}");
    }
    assert!(lines.iter().any(|line| line.starts_with("<134>1 ")), "info");
}
