# Reference values of R's survey package for models on designs that the open references do not have: three stages with
# finite population corrections, domains, missing answers, several families; svyolr on three links; calibrated weights and the jackknife.
# Run by `make references` in this folder, reads survey_fpc_data.csv; writes survey_models.csv and survey_models.VERSIONS.
suppressMessages(library(survey))
d <- read.csv("survey_fpc_data.csv")
d$level <- cut(d$y, c(0, 1, 3, 4, 5), labels = c("low", "middle", "good", "best"), ordered_result = TRUE)
d$filled <- d$level  # subsets of calibrated designs keep the rows outside, with weight 0: svyolr wants answers there
d$filled[is.na(d$level)] <- "good"
d$high <- as.numeric(d$y >= 4)
three <- svydesign(~ward + village + person, strata = ~stratum, weights = ~weight,
                   fpc = ~n_wards + n_villages + n_people, nest = TRUE, data = d)
one <- svydesign(~ward, strata = ~stratum, weights = ~weight, nest = TRUE, data = d)
designs <- list(three_stages = three, with_replacement = one, three_stages_two_groups = subset(three, group != "c"))

out <- list()
add <- function(case, model, terms, estimate, variance, df) {
  out[[length(out) + 1]] <<- data.frame(case = case, model = model, term = terms, estimate = as.vector(estimate),
                                        se = sqrt(diag(as.matrix(variance))), df = df)
}
# A Hessian by differences is good to its step squared: 1e-5 instead of optim's 1e-3 makes it exact to ten digits.
exact <- function(n) list(reltol = 1e-16, maxit = 10000, ndeps = rep(1e-5, n))
close <- list(reltol = 1e-16, maxit = 10000)
for (case in names(designs)) {
  design <- designs[[case]]
  glms <- list(
    gaussian = svyglm(y ~ x * group, design), gaussian_origin = svyglm(y ~ group - 1, design),
    binomial = suppressWarnings(svyglm(high ~ x + group, design, family = quasibinomial())),
    cloglog = suppressWarnings(svyglm(high ~ x, design, family = quasibinomial("cloglog"))),
    poisson = suppressWarnings(svyglm(y ~ x + group, design, family = quasipoisson()))
  )
  for (name in names(glms)) {
    m <- glms[[name]]
    add(case, name, names(coef(m)), coef(m), vcov(m), m$df.residual)
  }
  complete <- subset(design, !is.na(level))
  for (method in c("logistic", "probit", "cloglog")) {
    for (how in c("svyolr", "analytic")) {
      control <- if (how == "svyolr") close else exact(if (case == "three_stages_two_groups") 5 else 6)
      m <- svyolr(level ~ x + group, complete, method = method, control = control)
      add(case, paste0("ordinal_", method, "_", how), c(names(m$coefficients), names(m$zeta)),
          c(m$coefficients, m$zeta), m$var, m$df.residual)
    }
  }
}
# Calibrated weights, and the jackknife, which fits again with every replicate.
whole <- calibrate(three, ~group, c(`(Intercept)` = 2000, groupb = 600, groupc = 900))
again <- as.svrepdesign(one, type = "JKn")
for (case in c("calibrated", "jackknife")) {
  design <- if (case == "calibrated") whole else again
  m <- svyglm(y ~ x + group, design)
  add(case, "gaussian_main", names(coef(m)), coef(m), vcov(m), m$df.residual)
  m <- suppressWarnings(svyglm(high ~ x + group, design, family = quasibinomial()))
  add(case, "binomial", names(coef(m)), coef(m), vcov(m), m$df.residual)
  if (case == "calibrated") {
    m <- svyolr(filled ~ x + group, subset(design, !is.na(y)), method = "probit", control = close)
    add(case, "ordinal_probit_svyolr", c(names(m$coefficients), names(m$zeta)), c(m$coefficients, m$zeta), m$var,
        m$df.residual)
  }
}
# svyolr 4.1-1 fits replicates by the logit whatever the method, and not closely: here polr does, one by one.
probit <- function(w) {
  m <- suppressWarnings(MASS::polr(filled ~ x + group, d, weights = w, method = "probit", subset = !is.na(y),
                                   control = close))
  c(coef(m), m$zeta)
}
fits <- t(apply(weights(again, "analysis"), 2, probit))
whole <- probit(weights(again, "sampling"))
add("jackknife", "ordinal_probit_svyolr", names(whole), whole,
    svrVar(fits, again$scale, again$rscales, mse = FALSE, coef = whole), degf(again) - 3)
# Unweighted: the complementary log-log of P(Y <= k) of MASS::polr.
m <- MASS::polr(level ~ x + group, data = d, method = "cloglog", Hess = TRUE, control = close)
add("unweighted", "polr_cloglog", c(names(m$coefficients), names(m$zeta)), c(m$coefficients, m$zeta), vcov(m), NA)
result <- do.call(rbind, out)
result$estimate <- format(result$estimate, digits = 15, trim = TRUE, scientific = TRUE)
result$se <- format(result$se, digits = 15, trim = TRUE, scientific = TRUE)
write.csv(result, "survey_models.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survey", packageVersion("survey")), paste("MASS", packageVersion("MASS"))),
           "survey_models.VERSIONS")
