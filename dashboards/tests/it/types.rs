//! Dashboards by Grafana's own types: what its schema does not know is an error of the compiler.

use std::path::PathBuf;
use std::process::Command;

use noroshi_dashboards::{all, grafana};

/// Enumerations of TypeScript take no text; the text of their values means the same.
const HEAD: &str = r#"import type { Dashboard } from "@grafana/schema";
type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
"#;

/// Where `setup.sh` puts them.
fn modules() -> PathBuf {
    let modules =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/interop/grafana/node_modules");
    assert!(
        modules.join(".bin/tsc").exists(),
        "Grafana's types are missing: run ./setup.sh test"
    );
    modules
}

/// What the compiler says of the dashboards as TypeScript.
fn compile(text: &str) -> String {
    let modules = modules();
    let directory = tempfile::tempdir_in(modules.join("..")).expect("a directory");
    let file = directory.path().join("boards.ts");
    std::fs::write(&file, text).expect("writable");
    let output = Command::new(modules.join(".bin/tsc"))
        .args(["--noEmit", "--strict", "--skipLibCheck"])
        .args(["--module", "esnext", "--moduleResolution", "bundler"])
        .arg(&file)
        .output()
        .expect("the compiler starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.success(), said.is_empty(), "{said}");
    said
}

#[test]
fn dashboards_are_what_grafana_s_types_say() {
    let boards = all();
    let typed = boards.iter().enumerate().map(|(number, board)| {
        let json = grafana::json(board);
        format!(
            "export const board{number}: Plain<Dashboard> = {};\n",
            json.trim_end()
        )
    });
    let text: String = [HEAD.to_owned()].into_iter().chain(typed).collect();
    assert_eq!(compile(&text), "");
    let wrong = text.replacen("\"graphTooltip\": 1", "\"graphTooltip\": 7", 1);
    assert!(
        compile(&wrong).contains("DashboardCursorSync"),
        "it checks nothing"
    );
}
