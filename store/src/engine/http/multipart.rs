//! `multipart/form-data`, as far as the client uses it: fields of text, one part each (RFC 7578).

use crate::engine::statement::Failure;

/// Fields in one body. The client sends one per query parameter.
const FIELDS_MAX: usize = 4_096;

/// The boundary that `Content-Type` names, if the body is a form.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let (name, value) = rest.split_once('=')?;
    let value = value.trim().trim_matches('"');
    (name.trim().eq_ignore_ascii_case("boundary") && !value.is_empty()).then(|| value.to_owned())
}

/// Names and values, in order.
pub(super) fn fields(body: &[u8], boundary: &str) -> Result<Vec<(String, String)>, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| broken("it is not UTF-8"))?;
    let opening = format!("--{boundary}\r\n");
    let between = format!("\r\n--{boundary}");
    let mut rest = text
        .strip_prefix(opening.as_str())
        .ok_or_else(|| broken("the first boundary is missing"))?;
    let mut fields = Vec::new();
    loop {
        if fields.len() == FIELDS_MAX {
            return Err(broken("it has more than 4096 fields"));
        }
        let (headers, content) = rest
            .split_once("\r\n\r\n")
            .ok_or_else(|| broken("a field has no content"))?;
        let (value, behind) = content
            .split_once(between.as_str())
            .ok_or_else(|| broken("the last boundary is missing"))?;
        fields.push((name(headers)?, value.to_owned()));
        if behind.starts_with("--") {
            return Ok(fields);
        }
        rest = behind
            .strip_prefix("\r\n")
            .ok_or_else(|| broken("a boundary does not end its line"))?;
    }
}

fn name(headers: &str) -> Result<String, Failure> {
    headers
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .filter(|(header, _)| header.eq_ignore_ascii_case("content-disposition"))
        .flat_map(|(_, value)| value.split(';'))
        .find_map(|part| part.trim().strip_prefix("name="))
        .map(|name| name.trim_matches('"').to_owned())
        .ok_or_else(|| broken("a field has no name"))
}

fn broken(what: &str) -> Failure {
    Failure::new(format!(
        "Code: 27. DB::Exception: The form cannot be read: {what}. (CANNOT_PARSE_INPUT_ASSERTION_FAILED)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_clients_form_is_read() {
        let body = "--b1\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT\r\n1\r\n\
                    --b1\r\nContent-Disposition: form-data; name=\"param_x\"\r\n\r\n\r\n--b1--\r\n";
        let expected = [
            ("query".to_owned(), "SELECT\r\n1".to_owned()),
            ("param_x".to_owned(), String::new()),
        ];
        assert_eq!(fields(body.as_bytes(), "b1").unwrap(), expected);
        for cut in 0..body.len() - 4 {
            assert!(
                fields(&body.as_bytes()[..cut], "b1").is_err(),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn the_boundary_is_found() {
        assert_eq!(
            boundary("multipart/form-data; boundary=x1").as_deref(),
            Some("x1")
        );
        assert_eq!(
            boundary("Multipart/Form-Data;boundary=\"x 1\"").as_deref(),
            Some("x 1")
        );
        assert_eq!(boundary("text/plain; charset=utf-8"), None);
        assert_eq!(boundary("text/plain"), None);
    }

    proptest! {
        /// Whatever arrives, the answer is fields or a refusal.
        #[test]
        fn reading_never_panics(body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = fields(&body, "b");
            let _ = fields(&[b"--b\r\n", body.as_slice()].concat(), "b");
        }
    }
}
