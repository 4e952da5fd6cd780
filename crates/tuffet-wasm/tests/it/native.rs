//! The trace of a case, with the code of this machine and the provider that everybody uses there.

use std::collections::BTreeMap;
use std::fs;

use tuffet_core::json::Value;
use tuffet_core::trust::percent_decode;
use tuffet_wasm::{Answer, Session};

use crate::collection::Case;

/// The lines for all cases.
pub(crate) fn trace(cases: &[Case]) -> Vec<String> {
    let mut lines = Vec::new();
    for case in cases {
        let strictly = if case.strict { ", strictly" } else { "" };
        lines.push(format!("{} from {}{strictly}", case.name, case.root));
        Host::new(case, &mut lines).trace();
    }
    lines
}

struct Host<'a> {
    case: &'a Case,
    lines: &'a mut Vec<String>,
    session: Session,
    store: BTreeMap<String, Vec<u8>>,
}

/// The code of what was refused.
type Ended<T> = Result<T, String>;

impl<'a> Host<'a> {
    fn new(case: &'a Case, lines: &'a mut Vec<String>) -> Self {
        Self {
            case,
            lines,
            session: session(case),
            store: BTreeMap::new(),
        }
    }

    fn trace(mut self) {
        let refreshed = self.refresh();
        if self.ends(refreshed) {
            for path in &self.case.paths {
                for damaged in [false, true] {
                    let how = if damaged { ", damaged" } else { "" };
                    self.lines.push(format!("download {path}{how}"));
                    let downloaded = self.download(path, damaged);
                    self.ends(downloaded);
                }
            }
            self.lines.push("refresh again".to_owned());
            let refreshed = self.refresh();
            self.ends(refreshed);
        }
        for (item, bytes) in &self.store {
            self.lines.push(format!("{item}: {}", bytes.len()));
        }
    }

    fn ends<T>(&mut self, result: Ended<T>) -> bool {
        if let Err(code) = &result {
            self.lines.push(format!("ends with {code}"));
        }
        result.is_ok()
    }

    fn refresh(&mut self) -> Ended<Value> {
        self.session = session(self.case);
        self.said(
            [].into_iter()
                .collect::<BTreeMap<String, Value>>()
                .into_iter()
                .collect(),
        )?;
        self.drive()
    }

    fn download(&mut self, path: &str, damaged: bool) -> Ended<()> {
        let said = self.session.find(path.as_bytes());
        self.said(said)?;
        let found = self.drive()?;
        for url_path in found.get("urlPaths").unwrap().as_array().unwrap() {
            let Some(mut bytes) = self.read(&self.case.targets, url_path.as_str().unwrap()) else {
                continue;
            };
            if let Some(first) = bytes.first_mut().filter(|_| damaged) {
                *first ^= 1;
            }
            let said = self.session.begin_target();
            self.said(said)?;
            let said = self.session.target(&bytes);
            self.said(said)?;
            let said = self.session.end_target();
            self.said(said)?;
            return Ok(());
        }
        Err("missing.target".to_owned())
    }

    fn drive(&mut self) -> Ended<Value> {
        loop {
            let step = self.session.step();
            let step = self.said(step)?;
            let text = |name: &str| step.get(name).unwrap().as_str().unwrap();
            let answer = match text("step") {
                "done" => return Ok(step),
                "load" => self
                    .store
                    .get(text("item"))
                    .cloned()
                    .map_or(Answer::Absent, Answer::Bytes),
                "fetch" => self
                    .read(&self.case.metadata, text("file"))
                    .map_or(Answer::Absent, Answer::Bytes),
                _ => {
                    self.put(step.get("writes").unwrap().as_array().unwrap());
                    Answer::Stored
                }
            };
            let said = self.session.answer(answer);
            self.said(said)?;
        }
    }

    fn put(&mut self, writes: &[Value]) {
        for (place, write) in writes.iter().enumerate() {
            let item = write.get("item").unwrap().as_str().unwrap();
            match self.session.payload(place) {
                Some(bytes) => self.store.insert(item.to_owned(), bytes.to_vec()),
                None => self.store.remove(item),
            };
        }
    }

    fn read(&self, folder: &str, url_path: &str) -> Option<Vec<u8>> {
        let name = String::from_utf8(percent_decode(url_path).unwrap()).unwrap();
        fs::read(self.case.folder.join(folder).join(name)).ok()
    }

    /// Keeps what was said as a line of the trace.
    fn said(&mut self, said: Value) -> Ended<Value> {
        self.lines
            .push(String::from_utf8(said.to_compact_json()).unwrap());
        match said.get("error") {
            Some(error) => Err(error.get("code").unwrap().as_str().unwrap().to_owned()),
            None => Ok(said),
        }
    }
}

fn session(case: &Case) -> Session {
    let anchor = fs::read(case.folder.join(&case.root)).unwrap();
    Session::new(
        anchor,
        case.now,
        case.strict,
        tuffet_crypto::default_provider(),
    )
}
