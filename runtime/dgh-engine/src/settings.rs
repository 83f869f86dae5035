//! Settings of groups: what is written, with the value it has now.

use dgh_ir::Value;

use crate::call::Call;
use crate::prepared::declared;

impl Call {
    /// Whether the caller may talk over the agent.
    pub(crate) fn interruptible(&self) -> bool {
        self.turn_setting("interrupt")
    }

    /// A yes-or-no setting of `turn`: of the node, else of the agent, else yes.
    pub(crate) fn turn_setting(&self, name: &str) -> bool {
        let program = &self.prepared.program;
        let of_node = self.node(program).and_then(|node| node.turn.get(name));
        let setting = of_node.or_else(|| {
            declared(program, self.state.agent).groups.get("turn").and_then(|group| group.get(name))
        });
        match setting.map(|setting| self.eval(0, setting)) {
            Some(Ok(Value::Bool(value))) => value,
            _ => true,
        }
    }

    /// A setting of one of the agent's groups.
    pub(crate) fn setting(&self, group: &str, name: &str) -> Option<Value> {
        let program = &self.prepared.program;
        let setting = declared(program, self.state.agent).groups.get(group)?.get(name)?;
        self.eval(0, setting).ok().filter(|value| *value != Value::None)
    }
}

impl Call {
    /// The number that `outbound { from: … }` says is shown.
    pub fn shows_number(&self) -> Option<String> {
        match self.setting("outbound", "from")? {
            Value::Text(number) => Some(number),
            _ => None,
        }
    }
}
