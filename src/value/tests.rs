mod depth_probe {
    use super::super::*;
    use serde::{Deserialize, Serialize};
    #[derive(Serialize, Deserialize)]
    enum Ext {
        Leaf,
        Next(Box<Ext>),
    }
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "t")]
    enum Int {
        Leaf,
        Next { next: Box<Int> },
    }
    #[derive(Serialize, Deserialize)]
    #[serde(tag = "t", content = "c")]
    enum Adj {
        Leaf,
        Next(Box<Adj>),
    }
    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Unt {
        Leaf(u8),
        Next { next: Box<Unt> },
    }
    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum UntV {
        Leaf(u8),
        Next(Vec<UntV>),
    }
    #[derive(Serialize, Deserialize)]
    struct Flat {
        a: Option<u8>,
        #[serde(flatten)]
        rest: Inner,
    }
    #[derive(Serialize, Deserialize)]
    struct Inner {
        next: Option<Box<Flat>>,
    }

    fn run<T: Serialize + DeserializeOwned>(v: T) {
        let r = encode(&Enyim, &v, |b| Ok(Item::new(b.flags(), b.data())))
            .and_then(|i| decode::<T>(&Enyim, i));
        eprintln!("{:?}", r.as_ref().err().map(|e| e.to_string()));
        std::mem::forget(v);
        std::mem::forget(r);
    }
    #[test]
    fn probe() {
        let which = std::env::var("SHAPE").unwrap();
        let n: usize = std::env::var("N").unwrap().parse().unwrap();
        std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(move || match which.as_str() {
                "ext" => {
                    let mut v = Ext::Leaf;
                    for _ in 0..n {
                        v = Ext::Next(Box::new(v));
                    }
                    run(v)
                }
                "int" => {
                    let mut v = Int::Leaf;
                    for _ in 0..n {
                        v = Int::Next { next: Box::new(v) };
                    }
                    run(v)
                }
                "adj" => {
                    let mut v = Adj::Leaf;
                    for _ in 0..n {
                        v = Adj::Next(Box::new(v));
                    }
                    run(v)
                }
                "unt" => {
                    let mut v = Unt::Leaf(1);
                    for _ in 0..n {
                        v = Unt::Next { next: Box::new(v) };
                    }
                    run(v)
                }
                "untv" => {
                    let mut v = UntV::Leaf(1);
                    for _ in 0..n {
                        v = UntV::Next(vec![v]);
                    }
                    run(v)
                }
                "flat" => {
                    let mut v = Flat {
                        a: None,
                        rest: Inner { next: None },
                    };
                    for _ in 0..n {
                        v = Flat {
                            a: None,
                            rest: Inner {
                                next: Some(Box::new(v)),
                            },
                        };
                    }
                    run(v)
                }
                "json" => {
                    let mut v = serde_json::Value::Null;
                    for _ in 0..n {
                        v = serde_json::json!([v]);
                    }
                    run(v)
                }
                "jsonmap" => {
                    let mut v = serde_json::Value::Null;
                    for _ in 0..n {
                        v = serde_json::json!({"a":v});
                    }
                    run(v)
                }
                _ => unreachable!(),
            })
            .unwrap()
            .join()
            .unwrap();
    }
}
