//! Every error code: those of the libraries and those of the command line, in one table.

mod exits;

use tuffet_core::explain::{self, Explanation};

pub(crate) use exits::exits;

/// The explanation of a code.
pub(crate) fn find(code: &str) -> Option<&'static Explanation> {
    all().find(|explanation| explanation.code == code)
}

/// Every explanation.
pub(crate) fn all() -> impl Iterator<Item = &'static Explanation> {
    explain::CODES
        .iter()
        .chain(tuffet_client::explain::CODES)
        .chain(tuffet_sign::explain::CODES)
        .chain(tuffet_repo::explain::CODES)
        .chain(OWN)
}

/// The codes nearest to one that does not exist, best first.
pub(crate) fn similar(code: &str) -> Vec<&'static str> {
    let family = code.split('.').next().unwrap_or(code);
    let mut near: Vec<(usize, &'static str)> = all()
        .map(|explanation| explanation.code)
        .filter_map(|known| {
            let distance = distance(code, known);
            let same_family = known.split('.').next() == Some(family);
            let same_place = known.split('.').nth(1) == Some(code);
            (same_family || same_place || distance <= 3).then_some((distance, known))
        })
        .collect();
    near.sort();
    near.into_iter().map(|(_, known)| known).take(8).collect()
}

/// How many characters have to be inserted, removed or replaced.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, left) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, right) in other.iter().enumerate() {
            let cost = diagonal + usize::from(left != *right);
            diagonal = row[column + 1];
            row[column + 1] = cost.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

macro_rules! own {
    ($($code:literal $what:literal $why:literal $fix:literal)+) => {
        &[$(Explanation { code: $code, what: $what, why: $why, fix: $fix }),+]
    };
}

/// The codes of the command line.
const OWN: &[Explanation] = own! {
    "usage.arguments"
    "The arguments are not ones that the command understands."
    "Nothing was done: a guess could do something else than you meant."
    "See the command's --help."
    "usage.no-terminal"
    "The command needs an answer, and stdin and stderr are not a terminal, or --no-input or --json was given."
    "A script that waits for an answer nobody gives never ends."
    "Run the command in a terminal, or give the answer with the flag that is named."
    "usage.declined"
    "The question was not answered with yes."
    "Nothing was changed."
    "Run the command again, or pass the flag that answers the question."
    "file.read"
    "A file could not be read."
    "Without it the command cannot go on; nothing was changed."
    "Check the path and its permissions."
    "file.too-large"
    "A file is larger than what is read of its kind: 256 MiB of metadata, 512 MiB of a change."
    "Half a file says something else than the whole, so nothing is cut off; and nobody should fill your memory."
    "Check that it is the right file. A repository of that size is better kept in hash bins."
    "file.write"
    "A file could not be written."
    "Files are written beside their place and renamed when complete, so the old state is still there."
    "Check the path, its permissions and the free space."
    "trust.unknown"
    "No trusted repository has this name."
    "A repository is only asked after somebody has said which root is trusted."
    "tuffet trust list shows the names; tuffet trust add adds one."
    "trust.exists"
    "A repository of this name is trusted already."
    "Replacing a root of trust silently is what an attacker would want."
    "Choose another name, or remove the old one first: tuffet trust remove NAME"
    "trust.file"
    "The file that says what is trusted cannot be understood."
    "Guessing what is trusted would be dangerous."
    "Remove it with tuffet trust remove NAME and add the repository again."
    "trust.voices"
    "The map asks for more repositories to agree than there are holders of their root keys."
    "Whoever holds the root keys of two repositories makes both say the same: their agreement is the word of one."
    "Lower the threshold, or map repositories that different people hold. tuffet inspect shows the keys of a root."
    "explain.unknown"
    "There is no error code of this name."
    "Codes are stable: one that is not known was mistyped or belongs to another version."
    "tuffet explain lists every code."
    "inspect.type"
    "The file is none of root, timestamp, snapshot, targets, in plain JSON or in a DSSE envelope."
    "What cannot be read as metadata cannot be verified either."
    "Look at what the file is: an error page of a web server has the same effect."
    "signature.uncounted"
    "A key of the role has a signature that does not count: it is wrong, empty, of an unknown kind, or of a key that was counted already."
    "Enough other keys signed, so clients accept the file; but somebody's signature is not what they think it is."
    "Have the holder of the key sign again, or take the key out of the role."
    "expires.soon"
    "A role expires within the time that --within names."
    "When it has expired, every client refuses the repository."
    "Sign and publish the role again in time."
    "key.changed"
    "The key that a name leads to is not the one that the name was given to: NAME.pub is of another key."
    "Another token may be plugged in, or somebody may have put another key in its place."
    "Check the token, agent or file. If the new key is meant, give it a name of its own: tuffet key add"
    "doctor.file"
    "A file of the key directory cannot be used."
    "The key that it holds or leads to cannot sign."
    "See what the message says; a key that is lost is replaced with tuffet key rotate."
    "doctor.key"
    "A key that a name leads to is not there, or cannot sign."
    "Nobody can sign with it now, and perhaps nobody ever again."
    "Start the agent, plug the token in or set the variable, and see with tuffet key test; a key that is lost is replaced with tuffet key rotate."
    "doctor.mode"
    "A private key, or where one is, can be read by others; or the key directory can be written to by others."
    "Whoever reads the key can sign with it, and whoever writes there can put another in its place."
    "chmod 600 the file, chmod 700 the directory; if others had access, rotate the key."
    "doctor.plain"
    "A private key is not encrypted."
    "Whoever copies the file, or a backup of it, can sign with it."
    "Encrypt it with openssl pkcs8 -topk8 -v2 aes256, or use a key in hardware; keep such files for tests and automation."
    "doctor.pair"
    "NAME.pub is not the public half of NAME.key."
    "Repositories would be told of a key that nobody signs with."
    "Write the right one with tuffet key import NAME.key -o FILE."
    "doctor.agent"
    "SSH_AUTH_SOCK names an agent that cannot be asked."
    "Keys in it cannot sign."
    "Start the agent again, or set SSH_AUTH_SOCK to the one that runs."
    "doctor.library"
    "A PKCS#11 library cannot be used."
    "Tokens are only reached through it."
    "Check the path and that it is a library for this machine; the package of the token's maker brings one."
    "doctor.pin"
    "The PIN of a token is not set, has to be changed, is locked, or soon will be."
    "A token that is locked signs nothing until it is reset with its PUK."
    "Give the right PIN once with the token's own program, which sets the counter back; set or reset it there."
    "doctor.clock"
    "A clock cannot be right, or two are far apart."
    "What is signed by a wrong clock expires too early or too late."
    "Set the clock, or have it set by the network."
    "target.outside"
    "A role lists a target that no way of delegations to it covers."
    "No client finds it there: a role is only asked about paths that are delegated to it."
    "Move the target to a role that covers it, or extend the delegation."
    "target.missing"
    "A role lists a target, and its file is not in the repository."
    "Whoever asks for it gets nothing; withholding single files is also an attack."
    "Upload the file, or take it out of the role. If none is there, say where targets are with --targets-url, or leave them out with --metadata-only."
    "file.unlisted"
    "A file lies in the published directory that no role vouches for."
    "No client accepts it; but people who download by hand may."
    "Remove it, or have it listed. Old versions of metadata and artifacts may be kept for clients that are in the middle of an update."
    "verify.layout"
    "No root was found where a repository keeps its metadata."
    "Without a root nothing can be verified."
    "Give the directory or URL that holds metadata/ and targets/, or 1.root.json itself, or pass --root FILE."
    "serve.listen"
    "The address cannot be listened on, or it is not on the loopback interface."
    "The development server has no TLS, no access control and no limits: it is for this machine only."
    "Use an address such as 127.0.0.1:0, which takes any free port."
    "serve.repository"
    "The directory to be served is that of a repository, not of what it publishes."
    "Whoever can ask the server, every program on this machine, would get the key for snapshot and timestamp."
    "Serve the directory that tuffet publish writes to."
    "git.failed"
    "git did not do what it was asked for; what it said stands beside."
    "A change that is passed round by git goes over a remote of the git repository that this repository lies in."
    "Try the same with git itself, such as git ls-remote REMOTE; or pass the change on as a file."
    "git.timeout"
    "A call of git was ended because it took too long."
    "A remote that says nothing would hold up the command for ever."
    "Try the same with git itself, such as git ls-remote REMOTE. A slow remote gets more time with TUFFET_GIT_TIMEOUT, in seconds; 300 without it."
    "git.no-change"
    "The remote has no branch tuffet/change."
    "Nobody has sent a change there, or it has been removed since."
    "Ask who was to send it: tuffet change send --git REMOTE."
    "lab.failed"
    "The laboratory itself does not work; what it says of the client so far may be incomplete."
    "No directory, no port on the loopback interface, or a client that cannot be started."
    "See the cause; is the command of --client right?"
    "tour.step"
    "A step of the tour did not come out as it must."
    "The tour shows that attacks are refused; here one was not, or something honest was."
    "Run it again with --keep and report the output."
    "internal.panic"
    "A state was reached that was thought impossible."
    "It is a bug in tuffet. Files are written completely or not at all, so what was there before is intact."
    "Please report it with the command that you typed."
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_code_stands_once_and_says_something() {
        let mut seen = BTreeSet::new();
        for explanation in all() {
            assert!(seen.insert(explanation.code), "{} twice", explanation.code);
            let texts = [explanation.what, explanation.why, explanation.fix];
            assert!(
                texts.iter().all(|text| !text.is_empty()),
                "{}",
                explanation.code
            );
        }
    }

    #[test]
    fn a_mistyped_code_has_near_ones() {
        assert_eq!(
            similar("rolback.timestamp").first(),
            Some(&"rollback.timestamp")
        );
        assert!(similar("rollback").contains(&"rollback.removed"));
        assert!(similar("timestamp").contains(&"expired.timestamp"));
        assert!(similar("xyzzy").is_empty());
    }

    #[test]
    fn distance_counts_edits() {
        for (one, other, edits) in [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3)] {
            assert_eq!(distance(one, other), edits);
        }
    }
}
