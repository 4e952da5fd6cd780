//! What is meant for one server is not shown to everybody who reads a log.

use tuffet_client::blocking::Updater;
use tuffet_client::http::{BlockingHttp, HttpOptions, Proxy};
use tuffet_client::transport::Request;
use tuffet_client::{MemoryStore, MemoryTransport, Source, TrustAnchor};

const URL: &str = "https://USER:WORD@repo.example/m?sig=QUERY";

#[test]
fn debug_shows_no_credentials_no_query_and_no_header_values() {
    let options = HttpOptions::new()
        .proxy(Proxy::server("http://USER:WORD@proxy.example:3128").unwrap())
        .header("https://repo.example", "authorization", "Bearer VALUE")
        .unwrap();
    let updater = || Updater::builder(TrustAnchor::Root(Vec::new()), MemoryStore::new());
    let memory = MemoryTransport::new();
    memory.put(URL, b"x".to_vec());
    let shown = [
        format!("{:?}", Source::new(URL, URL)),
        format!("{:?}", Request::new(URL)),
        format!("{options:?}"),
        format!("{:?}", BlockingHttp::new(options.clone()).unwrap()),
        format!("{:?}", updater().source(Source::new(URL, URL))),
        format!(
            "{:?}",
            updater().source(Source::new(URL, URL)).build().unwrap()
        ),
        format!("{memory:?}"),
        #[cfg(feature = "async")]
        format!(
            "{:?}",
            tuffet_client::http::AsyncHttp::new(options.clone()).unwrap()
        ),
    ];
    for text in shown {
        for secret in ["USER", "WORD", "QUERY", "VALUE"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
}
