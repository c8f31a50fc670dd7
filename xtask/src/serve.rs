//! Serves the built site on this machine, with the headers that a real host would send.
//!
//! Invariant: it listens on the loopback address only and never reads a file outside the site.

use crate::headers;
use anyhow::{Context, Result, anyhow};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;
use tiny_http::{Header, Method, Request, Response, Server, StatusCode};

/// Enough for a page, its worker and the model to load side by side.
const THREADS: usize = 4;

/// Takes a port of the loopback address, 0 for a free one.
///
/// # Errors
/// When the port is taken.
pub fn listen(port: u16) -> Result<Server> {
    Server::http(("127.0.0.1", port)).map_err(|error| {
        anyhow!("cannot listen on 127.0.0.1:{port}: {error}; choose another with --port")
    })
}

/// Serves `site` until the process ends.
///
/// # Errors
/// When the site has not been built.
pub fn serve(site: &Path, server: &Server) -> Result<()> {
    let html = fs::read_to_string(site.join("index.html")).with_context(|| {
        format!("{} holds no site: run `cargo xtask serve` without --no-build", site.display())
    })?;
    let site = site.canonicalize()?;
    let headers = headers::security_headers(&html)?
        .into_iter()
        // A rebuilt site must show up at the next reload.
        .chain([("Cache-Control", "no-cache".to_owned())])
        .map(|(name, value)| header(name, &value))
        .collect::<Result<Vec<_>>>()?;
    println!("mitoscope is at http://{}/ (Ctrl-C stops it)", server.server_addr());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for request in server.incoming_requests() {
                    // A browser that hangs up early is no fault of ours.
                    let _ = answer(request, &site, &headers);
                }
            });
        }
    });
    Ok(())
}

fn answer(request: Request, site: &Path, headers: &[Header]) -> Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return Ok(request.respond(refusal(405, "only GET and HEAD are answered\n", headers))?);
    }
    let Some(path) = resolve(site, request.url()) else {
        return Ok(request.respond(refusal(404, "not found\n", headers))?);
    };
    let mut response = Response::from_file(File::open(&path)?);
    response.add_header(header("Content-Type", media_type(&path))?);
    headers.iter().for_each(|header| response.add_header(header.clone()));
    Ok(request.respond(response)?)
}

fn refusal(status: u16, text: &str, headers: &[Header]) -> Response<std::io::Cursor<Vec<u8>>> {
    let mut response = Response::from_string(text).with_status_code(StatusCode(status));
    headers.iter().for_each(|header| response.add_header(header.clone()));
    response
}

fn header(name: &str, value: &str) -> Result<Header> {
    Header::from_bytes(name, value).map_err(|()| anyhow!("`{name}: {value}` is no HTTP header"))
}

/// The file of the site that a request means, or none. `site` must be canonical.
fn resolve(site: &Path, url: &str) -> Option<PathBuf> {
    let path = percent_decoded(url.split(['?', '#']).next()?)?;
    let mut file = site.to_path_buf();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            part if part.contains(['\\', ':', '\0']) => return None,
            part => file.push(part),
        }
    }
    if path.ends_with('/') {
        file.push("index.html");
    }
    // A symbolic link may still point elsewhere.
    let file = file.canonicalize().ok()?;
    (file.starts_with(site) && file.is_file()).then_some(file)
}

fn percent_decoded(path: &str) -> Option<String> {
    let mut pieces = path.split('%');
    let mut bytes = pieces.next()?.as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(piece.get(..2)?, 16).ok()?);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

fn media_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("json") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("bmp") => "image/bmp",
        Some("tif" | "tiff") => "image/tiff",
        Some("ico") => "image/x-icon",
        Some("csv") => "text/csv; charset=utf-8",
        Some("txt" | "md" | "ts") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::tests::Scratch;

    #[test]
    fn names_the_types_that_browsers_insist_on() {
        assert_eq!(media_type(Path::new("pkg/mitoscope_bg.wasm")), "application/wasm");
        assert_eq!(media_type(Path::new("www/worker.js")), "text/javascript; charset=utf-8");
        assert_eq!(media_type(Path::new("model.safetensors")), "application/octet-stream");
        assert_eq!(media_type(Path::new("_headers")), "application/octet-stream");
    }

    #[test]
    fn never_leaves_the_site() {
        let folder = Scratch::new("serve");
        let site = folder.0.join("dist");
        fs::create_dir_all(site.join("www")).expect("made");
        let site = site.canonicalize().expect("canonical");
        for file in ["../secret", "index.html", "www/a b.js"] {
            fs::write(site.join(file), "").expect("written");
        }
        assert_eq!(resolve(&site, "/"), Some(site.join("index.html")));
        assert_eq!(resolve(&site, "/www/a%20b.js?v=1"), Some(site.join("www/a b.js")));
        for url in [
            "/../secret",
            "/www/../../secret",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "/..%5csecret",
            "//etc/passwd",
            "/index.html%00",
            "/%",
            "/%zz",
            "/www",
            "/missing.js",
        ] {
            assert_eq!(resolve(&site, url), None, "served {url}");
        }
        let absolute = site.join("../secret").canonicalize().expect("canonical");
        assert_eq!(resolve(&site, &absolute.to_string_lossy()), None);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&absolute, site.join("link")).expect("linked");
            assert_eq!(resolve(&site, "/link"), None);
        }
    }
}
