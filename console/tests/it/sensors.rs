//! How sensors are shown, and how one comes in.

use crate::desk::{Desk, TOKEN};
use crate::scans::MORNING;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_drawn_by_an_operator_written_down_and_shown_once() {
    let desk = Desk::open().await;
    let mut operator = desk.signed_in("operator").await;
    let page = operator.get("/sensors/enrol").await;
    assert!(
        page.body.contains("noroshi sensor enrol th-1")
            && page.body.contains("noroshi-sensor enrol")
    );
    let token = page.hidden("token");
    for wrong in ["", "jp-9", "../jp-1"] {
        let fields = [("token", token.as_str()), ("sensor", wrong)];
        assert_eq!(
            operator.post("/sensors/enrol", &fields).await.status,
            400,
            "{wrong}"
        );
    }
    let fields = [("token", "stolen"), ("sensor", "jp-1")];
    assert_eq!(operator.post("/sensors/enrol", &fields).await.status, 403);
    assert!(
        desk.audit()
            .await
            .iter()
            .all(|(_, what, _)| !what.contains("invite"))
    );
    let fields = [("token", token.as_str()), ("sensor", "jp-1")];
    let given = operator.post("/sensors/enrol", &fields).await;
    assert!(
        given
            .body
            .contains(&format!("{TOKEN}jp-1-by-operator:operator"))
    );
    assert_eq!(given.header("cache-control"), Some("no-store"));
    assert!(
        !operator.get("/sensors/enrol").await.body.contains(TOKEN),
        "once"
    );
    let audit = desk.audit().await;
    let invited = |(who, what, why): &&(String, String, String)| {
        who == "operator:operator" && what == "console invite sensor jp-1" && why.is_empty()
    };
    assert_eq!(audit.iter().filter(invited).count(), 1, "{audit:?}");
    assert!(
        audit
            .iter()
            .all(|(_, what, why)| !what.contains(TOKEN) && !why.contains(TOKEN))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sensors_show_losses_certificates_versions_and_their_hosts_country() {
    let desk = Desk::open().await;
    desk.saw("jp-1", MORNING, &[("192.0.2.1", None, 64_500, 23, 30)])
        .await;
    let page = desk.signed_in("viewer").await.get("/sensors").await;
    for fact in [
        "not_ip",
        "0.1.7",
        "enrolled",
        "ends soon",
        "update failed",
        "<b>MY</b><span>1/1</span>",
    ] {
        assert!(page.body.contains(fact), "{fact}: {}", page.body);
    }
    assert!(!page.body.contains("198.18."), "never where it stands");
    assert!(
        !page.body.contains("/sensors/enrol"),
        "a viewer enrols nobody"
    );
    assert!(!page.body.contains("<script>alert"));
}
