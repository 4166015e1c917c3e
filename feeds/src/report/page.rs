//! The report as one page: no script, nothing from elsewhere, two sheets of paper when printed.

use std::fmt::Write as _;

use super::{Line, Report};

const STYLE: &str = "\
:root{--ink:#1b1f24;--soft:#5b6570;--line:#d9dee3;--bar:#2f6f9f;--page:#fff}\
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#9aa5b0;--line:#39424b;--bar:#6bb1e0;--page:#14181c}}\
@page{size:A4;margin:16mm}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);margin:0}\
main{max-width:52rem;margin:0 auto;padding:2rem 1.25rem}\
h1{font-size:1.5rem;margin:0}h2{font-size:1.05rem;margin:2rem 0 .5rem}\
.sub{color:var(--soft);margin:.25rem 0 1.5rem}\
.tiles{display:flex;flex-wrap:wrap;gap:.75rem}\
.tile{flex:1 1 8rem;border:1px solid var(--line);border-radius:6px;padding:.75rem}\
.tile b{display:block;font-size:1.6rem;line-height:1.2}\
.tile span,.note{color:var(--soft);font-size:.85rem}\
table{border-collapse:collapse;width:100%}th{text-align:left;color:var(--soft);font-weight:500;font-size:.85rem}\
td,th{border-bottom:1px solid var(--line);padding:.3rem .6rem .3rem 0;vertical-align:top}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font:12px system-ui,sans-serif}\
rect{fill:var(--bar)}section{break-inside:avoid}\
.tlp{float:right;border:1px solid var(--line);padding:.1rem .5rem;border-radius:4px}";

pub(super) fn html(report: &Report) -> String {
    let mut page = String::new();
    let title = format!("Week {} of {}", report.week, escaped(&report.partner));
    let tlp = report.tlp.name();
    let _ = write!(
        page,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style><main><span class=\"tlp\">TLP:{tlp}</span><h1>{title}</h1>\
         <p class=\"sub\">What Noroshi's telescopes saw of your networks, {} to {} UTC</p>",
        day(&report.week.start().to_string()),
        day(&report.week.end().to_string()),
    );
    tiles(&mut page, report);
    days(&mut page, report);
    counts(&mut page, report);
    list(
        &mut page,
        "Infected hosts seen the longest, and still seen",
        "Address",
        &report.oldest,
    );
    list(&mut page, "Attacked", "Address or network", &report.victims);
    list(
        &mut page,
        "Surges of scanning",
        "Service and scope",
        &report.surges,
    );
    beside(&mut page, report);
    page.push_str(
        "<p class=\"note\">A telescope is address space that nobody uses: who knocks there scans, is \
         infected, or answers forged packets. Withdrawn cases and exercises are not counted. Source \
         addresses can be forged.</p></main></html>\n",
    );
    page
}

fn tiles(page: &mut String, report: &Report) {
    let clean = match report.median_hours_to_clean {
        None => "–".to_owned(),
        Some(hours) if hours < 48 => format!("{hours} h"),
        Some(hours) => format!("{} days", hours.div_ceil(24)),
    };
    page.push_str("<div class=\"tiles\">");
    for (figure, words) in [
        (report.infected.to_string(), "infected hosts seen"),
        (
            report.infected_new.to_string(),
            "of them for the first time",
        ),
        (clean, "median time until one is silent"),
        (
            report.victims_count.to_string(),
            "attacks on your addresses",
        ),
        (report.surges_count.to_string(), "surges of scanning"),
    ] {
        let _ = write!(
            page,
            "<div class=\"tile\"><b>{figure}</b><span>{words}</span></div>"
        );
    }
    page.push_str("</div>");
}

fn days(page: &mut String, report: &Report) {
    const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let most = report
        .infected_by_day
        .iter()
        .copied()
        .max()
        .unwrap_or(0)
        .max(1);
    page.push_str(
        "<section><h2>Infected hosts seen each day</h2>\
         <svg viewBox=\"0 0 700 180\" role=\"img\" aria-label=\"Infected hosts seen each day\">",
    );
    for (place, (name, count)) in NAMES.iter().zip(report.infected_by_day).enumerate() {
        let height = 120 * count / most;
        let x = 20 + place * 97;
        let top = 145 - height;
        let middle = x + 35;
        let _ = write!(
            page,
            "<rect x=\"{x}\" y=\"{top}\" width=\"70\" height=\"{height}\" rx=\"2\"/>\
             <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{count}</text>\
             <text x=\"{middle}\" y=\"167\" text-anchor=\"middle\">{name}</text>",
            top - 6
        );
    }
    page.push_str("</svg></section>");
}

fn counts(page: &mut String, report: &Report) {
    if report.infected == 0 {
        return;
    }
    let asns = report.by_asn.iter().map(|(asn, hosts)| {
        let name = match asn {
            0 => "unknown".to_owned(),
            asn => format!("AS{asn}"),
        };
        (name, *hosts)
    });
    table(page, "Infected hosts by network", "Network", asns.collect());
    let families = report.by_family.iter().map(|(family, hosts)| {
        let name = if family.is_empty() {
            "not recognised"
        } else {
            family
        };
        (name.to_owned(), *hosts)
    });
    table(
        page,
        "Infected hosts by family",
        "Family",
        families.collect(),
    );
}

fn table(page: &mut String, title: &str, what: &str, rows: Vec<(String, u64)>) {
    let most = rows
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(1)
        .max(1);
    let _ = write!(
        page,
        "<section><h2>{title}</h2><table><tr><th>{what}<th class=\"n\">Hosts<th style=\"width:50%\"></tr>"
    );
    for (name, count) in rows {
        let _ = write!(
            page,
            "<tr><td>{}<td class=\"n\">{count}<td><svg viewBox=\"0 0 200 12\" aria-hidden=\"true\">\
             <rect width=\"{}\" height=\"12\" rx=\"2\"/></svg></tr>",
            escaped(&name),
            (200 * count / most).max(2)
        );
    }
    page.push_str("</table></section>");
}

fn list(page: &mut String, title: &str, what: &str, lines: &[Line]) {
    let _ = write!(page, "<section><h2>{title}</h2>");
    if lines.is_empty() {
        page.push_str("<p class=\"note\">None this week.</p></section>");
        return;
    }
    let _ = write!(
        page,
        "<table><tr><th>{what}<th>First seen<th>Last seen<th>Severity</tr>"
    );
    for line in lines {
        let _ = write!(
            page,
            "<tr><td>{}<td>{}<td>{}<td>{}</tr>",
            escaped(&line.subject),
            minute(&line.first_seen),
            minute(&line.last_seen),
            line.severity
        );
    }
    page.push_str("</table></section>");
}

fn beside(page: &mut String, report: &Report) {
    if report.region.is_empty() {
        return;
    }
    page.push_str(
        "<section><h2>Beside the region</h2><table><tr><th>Kind<th class=\"n\">You\
         <th class=\"n\">All others together</tr>",
    );
    for row in &report.region {
        let others = row
            .others
            .map_or("not told".to_owned(), |others| format!("about {others}"));
        let kind = row.kind.replace('_', " ");
        let _ = write!(
            page,
            "<tr><td>{kind}<td class=\"n\">{}<td class=\"n\">{others}</tr>",
            row.own
        );
    }
    page.push_str(
        "</table><p class=\"note\">Others are told of only where they are five partners or more, with \
         five cases or more, rounded to fives.</p></section>",
    );
}

fn day(at: &str) -> &str {
    at.get(..10).unwrap_or(at)
}

fn minute(at: &str) -> String {
    at.get(..16).unwrap_or(at).replace('T', " ")
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}
