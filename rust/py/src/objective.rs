//! The arguments of the objective.

use fastmlp_core::{Error, Loss, Network, Objective, Report};

use crate::error::BindResult;

/// The objective that `alpha` and `report` describe.
pub(crate) fn objective(alpha: f64, report: &str, network: &Network) -> BindResult<Objective> {
    let report = match report {
        "objective" => Report::default(),
        // As its estimators report; of outputs they average squared errors alone.
        "scikit-learn" => Report {
            clips_probabilities: true,
            averages_outputs: *network.loss() == Loss::SquaredError,
            averages_by_rows: true,
        },
        _ => {
            let expected = r#""objective" or "scikit-learn""#;
            return Err(Error::value("report", format_args!("{report:?}"), expected).into());
        }
    };
    let objective = Objective { alpha, report };
    objective.check()?;
    Ok(objective)
}
