//! The security headers of the site.
//!
//! Invariant: the content security policy has one home, the meta tag of index.html; it is read from
//! there and never typed again.

use anyhow::{Context, Result, bail};

/// The headers that every response of the site carries, as name and value.
///
/// The policy gets `frame-ancestors 'none'` added, which browsers ignore in a meta tag.
///
/// # Errors
/// When the page has no policy that can be read.
pub fn security_headers(index_html: &str) -> Result<Vec<(&'static str, String)>> {
    let policy = format!("{}; frame-ancestors 'none'", content_security_policy(index_html)?);
    Ok(vec![
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff".into()),
        ("Referrer-Policy", "no-referrer".into()),
        ("Cross-Origin-Opener-Policy", "same-origin".into()),
    ])
}

/// The headers as a `_headers` file, which static hosts such as Netlify and Cloudflare Pages read.
pub fn headers_file(headers: &[(&str, String)]) -> String {
    let lines = headers.iter().map(|(name, value)| format!("  {name}: {value}\n"));
    std::iter::once("/*\n".to_owned()).chain(lines).collect()
}

/// The policy in the page's meta tag, on one line, without a closing semicolon.
fn content_security_policy(html: &str) -> Result<String> {
    let tag = html
        .split("<meta")
        .skip(1)
        .filter_map(|rest| rest.split('>').next())
        .find(|tag| {
            attribute(tag, "http-equiv")
                .is_some_and(|value| value.eq_ignore_ascii_case("content-security-policy"))
        })
        .context("index.html has no <meta http-equiv=\"Content-Security-Policy\">")?;
    let content = attribute(tag, "content")
        .context("the policy in index.html has no content=\"…\" attribute")?;
    if content.contains('&') {
        bail!("write the policy in index.html without HTML entities: `{content}`");
    }
    let words = content.split_whitespace().collect::<Vec<_>>().join(" ");
    let policy = words.trim_end_matches([';', ' ']);
    if policy.is_empty() {
        bail!("the policy in index.html is empty");
    }
    Ok(policy.to_owned())
}

/// The quoted value of an attribute inside a tag.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.match_indices(name).find_map(|(at, _)| {
        if !tag[..at].ends_with(char::is_whitespace) {
            return None;
        }
        let value = tag[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        value[1..].split_once(quote).map(|(inside, _)| inside)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_policy_over_several_lines() {
        let html = r#"<head><meta charset="utf-8">
            <meta content="default-src 'none';
                script-src 'self' 'wasm-unsafe-eval';" http-equiv="Content-Security-Policy">"#;
        let policy = content_security_policy(html).expect("a policy");
        assert_eq!(policy, "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'");
    }

    #[test]
    fn refuses_a_page_without_a_readable_policy() {
        for html in [
            "<meta charset='utf-8'>",
            r#"<meta http-equiv="Content-Security-Policy">"#,
            r#"<meta http-equiv="Content-Security-Policy" content=" ; ">"#,
            r#"<meta http-equiv="Content-Security-Policy" content="a &#39;b&#39;">"#,
        ] {
            assert!(content_security_policy(html).is_err(), "accepted {html}");
        }
    }

    #[test]
    fn the_headers_file_covers_every_path() {
        let html = r#"<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"#;
        let text = headers_file(&security_headers(html).expect("a policy"));
        assert!(text.starts_with(
            "/*\n  Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\n"
        ));
        assert!(text.contains("\n  X-Content-Type-Options: nosniff\n"));
    }
}
