//! The pages "Coming from ..." leave out nothing that the other clients offer: the clients are asked.

use crate::support::{Python, pages};
use serde_json::{Value, json};

/// Answers with what is public of a class: its methods, but not those of Python's own dictionaries and
/// queues; what its constructor takes; and the exceptions of the module.
const ASK: &str = r#"
import importlib, inspect, json, queue, sys

def public(names):
    return {name for name in names if not name.startswith("_")}

for line in sys.stdin:
    module, classes = json.loads(line)
    package = importlib.import_module(module)
    names = set()
    for name in classes:
        kind = getattr(package, name)
        names |= {name}
        names |= public(inspect.signature(kind.__init__).parameters) - {"self"}
        for base in kind.__mro__:
            if base not in (object, dict, queue.Queue):
                names |= public(vars(base))
    for _, found in inspect.getmembers(package, inspect.isclass):
        if issubclass(found, Exception):
            names |= public([found.__name__])
    print(json.dumps(sorted(names)), flush=True)
"#;

#[test]
#[ignore = "needs Python with the other clients: tests/run makes it and runs this too"]
fn the_pages_name_all_that_is_public() {
    crate::support::needs_python!();
    let mut python = Python::start(ASK, []);
    for (page, module, classes) in [
        ("moecache.md", "moecache", &["Client"][..]),
        (
            "pylibmc.md",
            "pylibmc",
            &["Client", "ClientPool", "ThreadMappedPool"],
        ),
        ("python_memcached.md", "memcache", &["Client"]),
    ] {
        let public = python.ask(&json!([module, classes]));
        let names = public.as_array().unwrap().iter();
        pages::names_all(page, names.map(|name| Value::as_str(name).unwrap()));
    }
}
