# Reference values of R's survey package for calibrated, raked and poststratified weights and for replicate weights, on the
# three-stage sample of survey_fpc.R (unequal weights, missing answers), whose data it reads from survey_fpc_data.csv.
# Run by `make references` in this folder; needs R's MASS too. Writes survey_calibration.csv, survey_calibration_bootstrap.csv
# and survey_calibration.VERSIONS.
suppressMessages(library(survey))
d <- read.csv("survey_fpc_data.csv")
d$band <- cut(d$x, c(0, 2.2, 3.4, 100), labels = c("low", "mid", "high"))
d$high <- as.numeric(d$y >= 4)
d$pair <- ave(d$ward, d$stratum, FUN = function(w) match(w, sort(unique(w))))
d$ward_weight <- ave(d$weight, d$stratum, d$ward)

out <- list()
add <- function(case, statistic, estimate, se = NA, df = NA) {
  out[[length(out) + 1]] <<- data.frame(case = case, statistic = statistic, estimate = as.vector(estimate),
                                        se = as.vector(se), df = df)
}
stat <- function(case, name, e, df) add(case, name, coef(e), sqrt(diag(as.matrix(vcov(e)))), df)
every <- function(case, design) {
  w <- weights(design, "sampling")
  df <- degf(design)
  add(case, "sum_of_weights", sum(w))
  add(case, "smallest_weight", min(w))
  add(case, "largest_weight", max(w))
  stat(case, "mean", svymean(~y, design, na.rm = TRUE), df)
  stat(case, "total", svytotal(~x, design), df)
  stat(case, "ratio", svyratio(~y, ~x, design, na.rm = TRUE), df)
  stat(case, "share", svymean(~high, design, na.rm = TRUE), df)
  for (g in c("a", "b", "c")) {
    part <- subset(design, group == g)
    stat(case, paste0("mean_", g), svymean(~y, part, na.rm = TRUE), df)
    stat(case, paste0("total_", g), svytotal(~x, part), df)
  }
}

three <- svydesign(~ward + village + person, strata = ~stratum, weights = ~weight,
                   fpc = ~n_wards + n_villages + n_people, nest = TRUE, data = d)
one <- svydesign(~ward, strata = ~stratum, weights = ~weight, nest = TRUE, data = d)
flat <- svydesign(~ward, strata = ~stratum, weights = ~ward_weight, nest = TRUE, data = d)
designs <- list(three = three, one = one)

group <- data.frame(group = c("a", "b", "c"), Freq = c(950, 900, 1350))
band <- data.frame(band = c("low", "mid", "high"), Freq = c(950, 1350, 900))
stratum <- data.frame(stratum = 1:3, Freq = c(1250, 720, 1230))
tight <- list(maxit = 1000, epsilon = 1e-12)
totals <- c("(Intercept)" = 3200, groupb = 900, groupc = 1350, x = 9300)
near <- function(s, ...) calibrate(s, ~group + x, totals, epsilon = 1e-12, maxit = 500, ...)
for (name in names(designs)) {
  s <- designs[[name]]
  label <- function(case) paste0(name, "_", case)
  every(label("poststratify"), postStratify(s, ~group, group))
  cross <- as.data.frame(xtabs(weight ~ group + stratum, d) * 1.25)
  every(label("poststratify_crossed"), postStratify(s, ~group + stratum, cross))
  raked <- rake(s, list(~group, ~band, ~stratum), list(group, band, stratum), control = tight)
  every(label("rake"), raked)
  every(label("trim"), trimWeights(raked, lower = 20, upper = 45))
  every(label("trim_strict"), trimWeights(raked, lower = 20, upper = 45, strict = TRUE))
  every(label("linear"), near(s))
  every(label("linear_bounded"), near(s, bounds = c(0.8, 1.15)))
  every(label("raking"), near(s, calfun = "raking"))
  every(label("logit"), near(s, calfun = "logit", bounds = c(0.75, 1.3)))
}
every("flat_cluster_level", calibrate(flat, ~x, totals[c("(Intercept)", "x")], aggregate.stage = 1))
every("flat_cluster_raking", calibrate(flat, ~x, totals[c("(Intercept)", "x")], aggregate.stage = 1, calfun = "raking",
                                       epsilon = 1e-12, maxit = 500))

# Replicates: JK1 and JKn with and without finite populations, every replicate calibrated again.
margins <- list(~group, ~band)
known <- list(group, band)
jackknives <- list(
  jk1 = as.svrepdesign(svydesign(~ward2, weights = ~weight, data = transform(d, ward2 = paste(stratum, ward))), type = "JK1"),
  jkn = as.svrepdesign(one, type = "JKn"),
  jkn_fpc = as.svrepdesign(svydesign(~ward, strata = ~stratum, weights = ~weight, fpc = ~n_wards, nest = TRUE, data = d),
                           type = "JKn")
)
for (name in names(jackknives)) {
  s <- jackknives[[name]]
  every(name, s)
  every(paste0(name, "_rake"), rake(s, margins, known, control = tight))
  every(paste0(name, "_poststratify"), postStratify(s, ~group, group))
  every(paste0(name, "_linear"), calibrate(s, ~group + x, totals))
}
# Half samples: two wards of each stratum. R's Hadamard matrix is another one; for three strata of two units all full
# orthogonal sets of half samples are the same.
pairs <- svydesign(~ward, strata = ~stratum, weights = ~weight, nest = TRUE, data = subset(d, pair <= 2))
every("brr", as.svrepdesign(pairs, type = "BRR"))
every("fay", as.svrepdesign(pairs, type = "Fay", fay.rho = 0.3))
every("brr_rake", rake(as.svrepdesign(pairs, type = "BRR"), list(~group), list(group), control = tight))
# Columns of bootstrap weights that came with the data.
set.seed(5)
boot <- as.svrepdesign(one, type = "subbootstrap", replicates = 40)
columns <- round(weights(boot, "analysis"), 4)
colnames(columns) <- paste0("b", 1:40)
write.csv(columns, "survey_calibration_bootstrap.csv", row.names = FALSE, quote = FALSE)
given <- svrepdesign(repweights = columns, weights = ~weight, data = d, type = "bootstrap", combined.weights = TRUE)
every("given_bootstrap", given)
# One margin: with two, R's rake stops 0.003 short of the totals in a replicate that converges slowly.
every("given_bootstrap_rake", rake(given, list(~group), list(group), control = tight))

result <- do.call(rbind, out)
result$estimate <- format(result$estimate, digits = 15, trim = TRUE, scientific = TRUE)
result$se <- format(result$se, digits = 15, trim = TRUE, scientific = TRUE)
write.csv(result, "survey_calibration.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survey", packageVersion("survey")), paste("MASS", packageVersion("MASS"))),
           "survey_calibration.VERSIONS")
