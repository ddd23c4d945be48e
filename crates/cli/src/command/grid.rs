//! The runs of the decision grid: one record, and a leader that dies as soon as it has answered.

use super::draw::Told;
use crate::failure::Failure;
use inflight::{Options, load_text};
use inflight_view::Scene;
use inflight_view::grid::{Cell, InSync, isr_grid};

/// The columns: acks and min.insync.replicas.
const COLUMNS: [(&str, u8); 5] = [("0", 1), ("1", 1), ("all", 1), ("all", 2), ("all", 3)];
/// The rows.
const ROWS: [InSync; 5] =
    [InSync::Count(3), InSync::Count(2), InSync::Count(1), InSync::Shrinks, InSync::Count(0)];

/// Runs every cell and draws the grid.
pub(crate) fn draw_grid(options: &inflight_view::Options) -> Result<Scene, Failure> {
    let mut runs = Vec::new();
    for in_sync in ROWS {
        for (acks, min_insync) in COLUMNS {
            let text = scenario(in_sync, acks, min_insync);
            let loaded = load_text("isr-grid.json", &text, &Options::default())?;
            runs.push((in_sync, acks, min_insync, Told::of(&loaded)));
        }
    }
    let cells: Vec<Cell<'_>> = runs
        .iter()
        .map(|(in_sync, acks, min_insync, told)| Cell {
            in_sync: *in_sync,
            acks,
            min_insync: *min_insync,
            story: told.story(),
        })
        .collect();
    Ok(isr_grid(&cells, options))
}

/// The scenario of a cell. Replicas leave the ISR because their brokers die long before the record
/// comes, and come back after everything is decided.
fn scenario(in_sync: InSync, acks: &str, min_insync: u8) -> String {
    let crash = |broker: &str| {
        format!(r#"{{ "when": {{ "at": "1s" }}, "then": {{ "crash": "{broker}" }} }},"#)
    };
    let before = match in_sync {
        InSync::Count(2) => crash("b3"),
        InSync::Count(1) => crash("b2") + &crash("b3"),
        InSync::Count(0) => {
            let last = r#"{ "when": { "at": "20s" }, "then": { "crash": "b1" } },"#;
            crash("b2") + &crash("b3") + last
        }
        InSync::Count(_) => String::new(),
        InSync::Shrinks => {
            r#"{ "when": { "happened": "BatchAppended", "where": { "broker": 1, "origin": "client" } },
                 "then": [{ "crash": "b2" }, { "crash": "b3" }] },"#
                .to_owned()
        }
    };
    // With acks=0 the leader says nothing: it dies when it has written the record.
    let answered = match acks {
        "0" => r#"{ "happened": "BatchAppended", "where": { "broker": 1, "origin": "client" } }"#,
        _ => {
            r#"{ "happened": "MessageSent",
                 "where": { "api": "Produce", "direction": "response", "from": "b1" } }"#
        }
    };
    let back = match in_sync {
        InSync::Count(3 | 0) => String::new(),
        InSync::Count(2) => back("b3"),
        InSync::Count(_) | InSync::Shrinks => back("b2") + &back("b3"),
    };
    format!(
        r#"{{
          "title": "One cell of the decision grid",
          "cluster": {{ "brokers": 3 }},
          "topics": [{{
            "name": "orders",
            "assignment": [["b1", "b2", "b3"]],
            "config": {{ "min.insync.replicas": {min_insync} }},
          }}],
          "producers": [{{
            "name": "p1",
            "config": {{ "acks": "{acks}", "enable.idempotence": false, "retries": 0, "linger.ms": 0 }},
            "workload": [{{ "topic": "orders", "records": 1, "start": "30s" }}],
          }}],
          "faults": [{before} {back} {{ "when": {answered}, "then": {{ "crash": "b1" }} }}],
        }}"#
    )
}

fn back(broker: &str) -> String {
    format!(r#"{{ "when": {{ "at": "100s" }}, "then": {{ "restart": "{broker}" }} }},"#)
}
