//! The report as one page: no script, nothing from elsewhere, two sheets of paper when printed.

use std::fmt::Write as _;

use noroshi_proto::time::Millis;

use super::{Line, Report};
use crate::text::{Of, Texts};

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

pub(super) fn html(report: &Report, texts: &Texts) -> String {
    let mut page = Page {
        html: String::new(),
        report,
        texts,
    };
    page.head();
    page.tiles();
    page.days();
    page.counts();
    page.list("longest", "address", &report.oldest);
    page.list("attacked", "prefix", &report.victims);
    page.list("surge_list", "scope", &report.surges);
    page.beside();
    let foot = page.say("foot");
    let _ = writeln!(page.html, "<p class=\"note\">{foot}</p></main></html>");
    page.html
}

/// A page as it is written.
struct Page<'r> {
    html: String,
    report: &'r Report,
    texts: &'r Texts,
}

impl Page<'_> {
    fn say(&self, name: &str) -> String {
        self.texts.say(Of::Report, name, &[])
    }

    fn head(&mut self) {
        let (report, texts) = (self.report, self.texts);
        let week = report.week.to_string();
        let partner = escaped(&report.partner);
        let words = [("week", week.as_str()), ("partner", &partner)];
        let title = texts.say(Of::Report, "title", &words);
        let last = Millis(report.week.end().0 - 1);
        let (from, until) = (report.week.start().to_string(), last.to_string());
        let words = [("from", day(&from)), ("until", day(&until))];
        let about = texts.say(Of::Report, "about", &words);
        let _ = write!(
            self.html,
            "<!doctype html><html lang=\"{}\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
             <style>{STYLE}</style><main><span class=\"tlp\">TLP:{}</span><h1>{title}</h1>\
             <p class=\"sub\">{about}</p>",
            texts.language,
            report.tlp.name(),
        );
    }

    fn tiles(&mut self) {
        let report = self.report;
        let count = |name, count: u64| {
            let count = count.to_string();
            self.texts.say(Of::Report, name, &[("count", &count)])
        };
        let silent = match report.median_hours_to_clean {
            None => "–".to_owned(),
            Some(hours) if hours < 48 => count("hours", hours),
            Some(hours) => count("days", hours.div_ceil(24)),
        };
        self.html.push_str("<div class=\"tiles\">");
        for (figure, name) in [
            (report.infected.to_string(), "infected"),
            (report.infected_new.to_string(), "new"),
            (silent, "silent"),
            (report.victims_count.to_string(), "attacks"),
            (report.surges_count.to_string(), "surges"),
        ] {
            let words = self.say(name);
            let _ = write!(
                self.html,
                "<div class=\"tile\"><b>{figure}</b><span>{words}</span></div>"
            );
        }
        self.html.push_str("</div>");
    }

    fn days(&mut self) {
        const NAMES: [&str; 7] = [
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
        ];
        let by_day = self.report.infected_by_day;
        let most = by_day.iter().copied().max().unwrap_or(0).max(1);
        let title = self.say("by_day");
        let _ = write!(
            self.html,
            "<section><h2>{title}</h2>\
             <svg viewBox=\"0 0 700 180\" role=\"img\" aria-label=\"{title}\">"
        );
        for (place, (name, count)) in NAMES.iter().zip(by_day).enumerate() {
            let name = self.say(name);
            let height = 120 * count / most;
            let x = 20 + place * 97;
            let top = 145 - height;
            let middle = x + 35;
            let _ = write!(
                self.html,
                "<rect x=\"{x}\" y=\"{top}\" width=\"70\" height=\"{height}\" rx=\"2\"/>\
                 <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{count}</text>\
                 <text x=\"{middle}\" y=\"167\" text-anchor=\"middle\">{name}</text>",
                top - 6
            );
        }
        self.html.push_str("</svg></section>");
    }

    fn counts(&mut self) {
        let report = self.report;
        if report.infected == 0 {
            return;
        }
        let (unknown, unrecognised) = (self.say("unknown"), self.say("unrecognised"));
        let asns = report.by_asn.iter().map(|(asn, hosts)| match asn {
            0 => (unknown.clone(), *hosts),
            asn => (format!("AS{asn}"), *hosts),
        });
        self.table("by_network", "network", asns.collect());
        let families = report.by_family.iter().map(|(family, hosts)| {
            let name = if family.is_empty() {
                &unrecognised
            } else {
                family
            };
            (name.clone(), *hosts)
        });
        self.table("by_family", "family", families.collect());
    }

    fn table(&mut self, title: &str, what: &str, rows: Vec<(String, u64)>) {
        let counts = rows.iter().map(|(_, count)| *count);
        let most = counts.max().unwrap_or(1).max(1);
        let (title, what, hosts) = (self.say(title), self.say(what), self.say("hosts"));
        let _ = write!(
            self.html,
            "<section><h2>{title}</h2><table><tr><th>{what}<th class=\"n\">{hosts}\
             <th style=\"width:50%\"></tr>"
        );
        for (name, count) in rows {
            let _ = write!(
                self.html,
                "<tr><td>{}<td class=\"n\">{count}<td><svg viewBox=\"0 0 200 12\" aria-hidden=\"true\">\
                 <rect width=\"{}\" height=\"12\" rx=\"2\"/></svg></tr>",
                escaped(&name),
                (200 * count / most).max(2)
            );
        }
        self.html.push_str("</table></section>");
    }

    fn list(&mut self, title: &str, what: &str, lines: &[Line]) {
        let _ = write!(self.html, "<section><h2>{}</h2>", self.say(title));
        if lines.is_empty() {
            let none = self.say("none");
            let _ = write!(self.html, "<p class=\"note\">{none}</p></section>");
            return;
        }
        let label = |name| self.texts.say(Of::Label, name, &[]);
        let _ = write!(
            self.html,
            "<table><tr><th>{}<th>{}<th>{}<th>{}</tr>",
            self.say(what),
            label("first"),
            label("last"),
            label("severity")
        );
        for line in lines {
            let _ = write!(
                self.html,
                "<tr><td>{}<td>{}<td>{}<td>{}</tr>",
                escaped(&line.subject),
                minute(&line.first_seen),
                minute(&line.last_seen),
                self.texts.say(Of::Severity, &line.severity, &[])
            );
        }
        self.html.push_str("</table></section>");
    }

    fn beside(&mut self) {
        if self.report.region.is_empty() {
            return;
        }
        let _ = write!(
            self.html,
            "<section><h2>{}</h2><table><tr><th>{}<th class=\"n\">{}<th class=\"n\">{}</tr>",
            self.say("region"),
            self.say("kind"),
            self.say("you"),
            self.say("others")
        );
        for row in &self.report.region {
            let others = match row.others {
                None => self.say("untold"),
                Some(others) => {
                    let count = others.to_string();
                    let words = [("count", count.as_str())];
                    self.texts.say(Of::Report, "about_others", &words)
                }
            };
            let _ = write!(
                self.html,
                "<tr><td>{}<td class=\"n\">{}<td class=\"n\">{others}</tr>",
                self.texts.say(Of::Kind, &row.kind, &[]),
                row.own
            );
        }
        let note = self.say("region_note");
        let _ = write!(self.html, "</table><p class=\"note\">{note}</p></section>");
    }
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
