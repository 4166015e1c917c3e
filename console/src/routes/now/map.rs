//! The region as tiles: each country has its place, roughly as on a map, and its number in it.
//!
//! Tiles need no map data, and a small country is as easy to see as a large one. There are no arcs:
//! a telescope sees where packets come from, and never whom they were meant for.

use std::collections::BTreeMap;

use maud::{Markup, html};
use noroshi_store::figures::CountryFigure;

use crate::desk::Desk;
use crate::page::number;
use crate::text::Texts;

/// Rows of the map; an empty word is sea.
const ROWS: [[&str; 8]; 6] = [
    ["", "", "", "MN", "", "KP", "", ""],
    ["PK", "NP", "BT", "CN", "", "KR", "JP", ""],
    ["IN", "BD", "MM", "LA", "HK", "TW", "", ""],
    ["LK", "", "TH", "KH", "VN", "PH", "", ""],
    ["MV", "", "MY", "SG", "BN", "", "PG", "FJ"],
    ["", "", "ID", "TL", "", "AU", "", "NZ"],
];
/// Further countries named, the most first.
const OTHERS: usize = 8;

/// Where scans come from.
pub(super) fn leaving(desk: &Desk, texts: &Texts, figures: &[CountryFigure]) -> Markup {
    draw(desk, texts, figures, |figure| figure.leaving)
}

/// Who is attacked.
pub(super) fn hit(desk: &Desk, texts: &Texts, figures: &[CountryFigure]) -> Markup {
    draw(desk, texts, figures, |figure| figure.hit)
}

/// Sensors of each country: those that report of all; framed where some do not.
pub(in crate::routes) fn sensors(texts: &Texts, counts: &BTreeMap<String, (u64, u64)>) -> Markup {
    let on_map = |code: &str| ROWS.iter().flatten().any(|known| *known == code);
    html! {
        ul.tiles {
            @for code in ROWS.iter().flatten() {
                @if code.is_empty() { li aria-hidden="true" {} } @else {
                    @let (all, reporting) = counts.get(*code).copied().unwrap_or_default();
                    @let shade = if all == 0 { "s0" } else if reporting == all { "s3" } else { "s1" };
                    @let framed = if reporting < all { " partner" } else { "" };
                    li class={ "tile " (shade) (framed) } title=(texts.word("country", code)) {
                        b { (code) } span { @if all > 0 { (reporting) "/" (all) } }
                    }
                }
            }
        }
        p.legend { span { i.s3 {} (texts.say("sensors.all_report")) } span { i.s1 {} (texts.say("sensors.some_silent")) } }
        @for (code, (all, reporting)) in counts.iter().filter(|(code, _)| !on_map(code)) {
            p.note { (code) " " (reporting) "/" (all) }
        }
    }
}

fn draw(
    desk: &Desk,
    texts: &Texts,
    figures: &[CountryFigure],
    count: impl Fn(&CountryFigure) -> u64,
) -> Markup {
    let of = |code: &str| {
        figures
            .iter()
            .find(|one| one.country == code)
            .map_or(0, &count)
    };
    let is_partner = |code: &str| {
        let mut partners = desk.registry.partners().iter();
        partners.any(|partner| partner.country.as_str() == code)
    };
    let on_map = |code: &str| ROWS.iter().flatten().any(|known| *known == code);
    let most = ROWS
        .iter()
        .flatten()
        .map(|code| of(code))
        .max()
        .unwrap_or(0);
    let mut others: Vec<_> = figures
        .iter()
        .filter(|one| !on_map(&one.country) && count(one) > 0)
        .collect();
    others.sort_by_key(|one| std::cmp::Reverse(count(one)));
    html! {
        ul.tiles {
            @for code in ROWS.iter().flatten() {
                @if code.is_empty() { li aria-hidden="true" {} } @else {
                    @let partner = if is_partner(code) { " partner" } else { "" };
                    li class={ "tile " (shade(of(code), most)) (partner) } title=(texts.word("country", code)) {
                        b { (code) } span { (number(of(code))) }
                    }
                }
            }
        }
        p.legend {
            span { i.s0 {} "0" }
            @if most > 0 { span { i.s1 {} i.s2 {} i.s3 {} i.s4 {} (texts.fill("now.most", &[("most", &number(most))])) } }
            span { (texts.say("now.framed")) }
        }
        @if !others.is_empty() {
            p.note { (texts.say("now.others")) " "
                @for (place, one) in others.iter().take(OTHERS).enumerate() {
                    @if place > 0 { " · " }
                    (one.country) " " (number(count(one)))
                }
            }
        }
    }
}

/// Four shades, each for four times as much as the one before; so few and many are both told apart.
fn shade(count: u64, most: u64) -> &'static str {
    match count {
        0 => "s0",
        count if count.saturating_mul(64) < most => "s1",
        count if count.saturating_mul(16) < most => "s2",
        count if count.saturating_mul(4) < most => "s3",
        _ => "s4",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_tell_few_from_many() {
        let shades = [0, 1, 2, 7, 30, 100].map(|count| shade(count, 100));
        assert_eq!(shades, ["s0", "s1", "s2", "s3", "s4", "s4"]);
        assert_eq!(shade(1, 1), "s4");
    }

    #[test]
    fn no_country_stands_twice() {
        let mut codes: Vec<_> = ROWS
            .iter()
            .flatten()
            .filter(|code| !code.is_empty())
            .collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }
}
