//! The long form of every error code of this crate; those of the core are in [`tuffet_core::explain`].

use tuffet_core::explain::Explanation;

/// The explanation of a code of this crate or of the core.
///
/// ```
/// assert!(tuffet_client::explain::find("network.idle").is_some());
/// assert!(tuffet_client::explain::find("rollback.timestamp").is_some());
/// ```
#[must_use]
pub fn find(code: &str) -> Option<&'static Explanation> {
    CODES
        .iter()
        .find(|explanation| explanation.code == code)
        .or_else(|| tuffet_core::explain::find(code))
}

macro_rules! explanations {
    ($($code:literal $what:literal $why:literal $fix:literal)+) => {
        &[$(Explanation { code: $code, what: $what, why: $why, fix: $fix }),+]
    };
}

/// Every code of this crate.
pub const CODES: &[Explanation] = explanations! {
    "network.connect"
    "The host name could not be resolved, or no connection could be made."
    "Without the repository nothing new can be trusted; what is stored stays as it was."
    "Check the URL, the network and the proxy. If the repository is down, add another mirror or try again later."
    "network.tls"
    "The connection could not be secured, most often because of the certificate."
    "Metadata is verified without TLS too, but a wrong certificate means that somebody else answers."
    "Check the clock and the URL. Behind a company's proxy, give its certificate authority to the client."
    "network.idle"
    "Nothing arrived for the idle time."
    "A server that sends nothing could hold an update back for ever."
    "Try again, or add another mirror. For very slow lines, a program that embeds the client can raise the idle time."
    "network.deadline"
    "A file at one mirror, or the metadata of one operation altogether, took longer than its deadline."
    "A server that sends slowly could hold an update back for ever."
    "Try again, or add another mirror; a download goes on where it stopped. For slow lines, a program that embeds the client can raise the deadlines."
    "network.slow"
    "Bytes arrived more slowly than the minimum rate."
    "A server that sends slowly could hold an update back for ever."
    "Try again, or add another mirror. For very slow lines, a program that embeds the client can lower the minimum rate."
    "network.interrupted"
    "The connection broke before everything had arrived."
    "Nothing of an incomplete file is trusted."
    "Try again; a download goes on where it stopped."
    "network.status"
    "The server answered with a status that means neither found nor absent."
    "Only 404, 410 and (unless switched off) 403 mean that there is no such file: any other failure that passed for it could hide an update."
    "Look at what the URL returns. A proxy or a login page in between has the same effect."
    "network.redirect"
    "The server sent the client elsewhere in a way that must not be followed."
    "A redirect from https to http, or without end, weakens or stops the transfer."
    "Use the final URL directly."
    "network.protocol"
    "The server's answer makes no sense, such as a range that was not asked for or a length that is not kept."
    "What cannot be understood is not guessed at."
    "Try another mirror. Operators: serve plain files, without compression or rewriting in between."
    "network.url"
    "The URL is none, or its scheme is not spoken by this build."
    "Nothing could be asked for."
    "Use https://, http:// or file://, or the path of a directory."
    "network.file"
    "A file of the repository exists on this machine and could not be read."
    "An unreadable file is not taken for an absent one: that could hide an update."
    "Check the permissions of the repository's directory."
    "cancelled"
    "The operation was cancelled."
    "What was verified and stored until then stays."
    "Start it again; it goes on where it stopped."
    "misuse"
    "The program that uses this library asked for something that makes no sense; the message says what."
    "It is a mistake in that program, not in the repository."
    "Report it to the makers of the program."
    "store.read"
    "A file of the store exists and could not be read."
    "The store is the memory of what was trusted; without it a repository could go back unnoticed, so the client stops."
    "Check the permissions of the file, and that it is a regular file. If it is damaged beyond repair, remove it: what it protected from is lost until the next refresh."
    "store.write"
    "A file of the store could not be written."
    "What cannot be remembered is not trusted."
    "Check permissions and free space. The store is complete up to the last change, so the next refresh goes on."
    "store.obstructed"
    "Where a directory of the store belongs there is a symbolic link, or something that is no directory; or a directory where a file belongs."
    "Through a link, files that are not the client's would be removed and written, and a directory may hold files of somebody else."
    "Give the store the directory that the link leads to, or remove what is in the way."
    "store.other"
    "The store that the program brought along failed."
    "What cannot be remembered is not trusted."
    "The message underneath says why."
    "lock.timeout"
    "Another process works with the same store."
    "Two refreshes at a time could undo what the other has stored."
    "Wait for the other process, or end it. The lock goes with its process; the file may stay."
    "lock.unavailable"
    "The store's lock could not be taken."
    "Without it two refreshes could undo what the other has stored."
    "Check permissions, and keep the store on a file system that knows locks."
    "target.path"
    "The path of the target cannot become a file name or a URL."
    "Such a path could reach files outside the destination, or mean something else on another platform."
    "Give the destination file yourself. Operators: name targets with plain relative paths."
    "disk.exists"
    "A file of other content is where the target belongs."
    "Files are not overwritten silently."
    "Move the file away, choose another destination, or ask for overwriting."
    "disk.obstructed"
    "On the way to the destination there is a symbolic link, or something that is no directory."
    "A link could lead the file out of the destination."
    "Remove it, or choose another destination."
    "disk.read"
    "A file at the destination could not be read."
    "The client looks whether the target is there already."
    "Check permissions."
    "disk.write"
    "A file at the destination could not be written."
    "Nothing incomplete is left in the place of the target."
    "Check permissions and free space."
    "offline.target"
    "The mode is offline, and the target is not at its destination."
    "Offline, nothing is fetched."
    "Download it once with a connection, or bring it along and let it be verified in place."
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::transport::TransportErrorKind;

    #[test]
    fn every_code_is_explained_once() {
        let codes: BTreeSet<&str> = CODES.iter().map(|explanation| explanation.code).collect();
        assert_eq!(codes.len(), CODES.len());
        for code in codes {
            assert!(tuffet_core::explain::find(code).is_none(), "{code}");
        }
        use TransportErrorKind as Kind;
        for kind in [
            Kind::Connect,
            Kind::Tls,
            Kind::Idle,
            Kind::Deadline,
            Kind::TooSlow,
            Kind::Interrupted,
            Kind::Status(500),
            Kind::Redirect,
            Kind::Protocol,
            Kind::Url,
            Kind::File,
            Kind::Cancelled,
        ] {
            assert!(find(kind.code()).is_some(), "{}", kind.code());
        }
    }
}
