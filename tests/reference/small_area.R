# Reference values of R's metafor package for area-level models: metafor's random-effects meta-regression is the model of
# Fay and Herriot (method PM is their moment estimator, HE that of Prasad and Rao), solved to the last digit here.
# Data: fresh milk expenditure (Arora and Lahiri 1997; areas of You and Chapman 2006) in small_area_milk.csv, whose columns
# reml, reml_mse and so on are what R's sae prints for it; and 12 units without covariates, of which the last differ little.
# Also inclusion probabilities proportional to size of R's sampling package.
# Run by `make references` in this folder; needs r-cran-metafor and r-cran-sampling. Writes small_area.csv and .VERSIONS.
suppressMessages({library(metafor); library(sampling)})
milk <- read.csv("small_area_milk.csv")
units <- data.frame(
  direct = c(0.91, 0.84, 0.78, 0.88, 0.95, 0.81, 0.73, 0.86, 0.9, 0.79, 0.83, 0.87),
  se = c(0.02, 0.035, 0.05, 0.024, 0.012, 0.041, 0.06, 0.03, 0.027, 0.044, 0.033, 0.019)
)
rows <- list()
put <- function(case, what, value) {
  rows[[length(rows) + 1]] <<- data.frame(case = case, what = what, place = seq_along(value), value = value)
}
methods <- c(reml = "REML", ml = "ML", fh = "PM", prasad_rao = "HE")
for (method in names(methods)) {
  control <- if (method %in% c("fh", "prasad_rao")) list(tau2.max = 100, tol = 1e-15) else list(threshold = 1e-15, maxiter = 1000)
  for (case in c("milk", "units")) {
    data <- get(case)
    formula <- if (case == "milk") ~ factor(major_area) else ~ 1
    fit <- rma(direct, sei = se, mods = formula, data = data, method = methods[[method]], control = control)
    name <- paste(case, method)
    put(name, "between", fit$tau2)
    put(name, "coefficients", as.vector(fit$beta))
    put(name, "covariance", as.vector(vcov(fit)))
    put(name, "pooled", as.vector(blup(fit)$pred))
  }
}
sizes <- c(120, 35, 80, 900, 15, 60, 410, 22, 75, 33, 300, 48)
for (n in c(2, 4, 7, 11)) put(paste("pps", n), "inclusion", inclusionprobabilities(sizes, n))
out <- do.call(rbind, rows)
out$value <- formatC(out$value, digits = 14, format = "e")
write.csv(out, "small_area.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("metafor", packageVersion("metafor")), paste("sampling", packageVersion("sampling"))), "small_area.VERSIONS")
