# Reference values of R's survey package for designs that the open references do not have: two and three stages with
# finite population corrections, strata with one unit under every rule, domains, covariances.
# Run by `make references` in this folder; writes survey_fpc_data.csv, survey_fpc.csv and survey_fpc.VERSIONS.
suppressMessages(library(survey))
set.seed(20261122)

# A population of 3 strata, wards in them, villages in wards; drawn by stage without replacement.
rows <- list()
for (h in 1:3) {
  n_wards <- c(9, 6, 12)[h]
  for (ward in sort(sample(n_wards, c(3, 2, 4)[h]))) {
    n_villages <- 3 + ward %% 4
    for (village in sort(sample(n_villages, 2 + ward %% 2))) {
      n_people <- 20 + 3 * village
      asked <- 4 + (ward + village) %% 3
      effect <- rnorm(1, h / 2 + ward / 10, 0.6)
      rows[[length(rows) + 1]] <- data.frame(
        stratum = h, ward = ward, village = village, person = sort(sample(n_people, asked)),
        n_wards = n_wards, n_villages = n_villages, n_people = n_people,
        x = round(exp(rnorm(asked, 1, 0.4)), 3), latent = rnorm(asked, effect, 1),
        group = sample(c("a", "b", "c"), asked, replace = TRUE)
      )
    }
  }
}
d <- do.call(rbind, rows)
d$y <- pmin(5, pmax(1, round(d$latent + 2)))
d$y[c(7, 40)] <- NA
d$latent <- NULL
m <- aggregate(ward ~ stratum, unique(d[c("stratum", "ward")]), length)
k <- aggregate(village ~ stratum + ward, unique(d[c("stratum", "ward", "village")]), length)
q <- aggregate(person ~ stratum + ward + village, d, length)
d$f1 <- m$ward[match(d$stratum, m$stratum)] / d$n_wards
d$weight <- with(d, n_wards / m$ward[match(stratum, m$stratum)] *
  n_villages / k$village[match(paste(stratum, ward), paste(k$stratum, k$ward))] *
  n_people / q$person[match(paste(stratum, ward, village), paste(q$stratum, q$ward, q$village))])
d$weight <- round(d$weight * runif(nrow(d), 0.8, 1.25), 4)
# Strata in which only one ward was drawn, and wards in which only one village was.
d$pair <- ifelse(d$stratum == 2, paste0("2-", d$ward), as.character(d$stratum))
d$n_pair <- ifelse(d$stratum == 2, 3, d$n_wards)
d$hamlet <- ifelse(d$stratum == 1 & d$ward == min(d$ward[d$stratum == 1]), 1, d$village)
write.csv(d, "survey_fpc_data.csv", row.names = FALSE, quote = FALSE)

out <- list()
add <- function(case, design, formula = ~y, estimator = svymean, name = "mean") {
  e <- tryCatch(estimator(formula, design, na.rm = TRUE), error = function(e) NULL)
  value <- if (is.null(e)) NA else as.vector(coef(e))
  se <- if (is.null(e)) NA else as.vector(SE(e))
  out[[length(out) + 1]] <<- data.frame(case = case, estimator = name, estimate = value, se = se, df = degf(design))
}
every <- function(case, design) {
  add(case, design)
  add(case, design, ~x, svytotal, "total")
  r <- svyratio(~y, ~x, design, na.rm = TRUE)
  out[[length(out) + 1]] <<- data.frame(case = case, estimator = "ratio", estimate = as.vector(coef(r)),
                                        se = as.vector(SE(r)), df = degf(design))
}
one <- svydesign(~ward, strata = ~stratum, weights = ~weight, fpc = ~n_wards, nest = TRUE, data = d)
two <- svydesign(~ward + village, strata = ~stratum, weights = ~weight, fpc = ~n_wards + n_villages, nest = TRUE, data = d)
three <- svydesign(~ward + village + person, strata = ~stratum, weights = ~weight,
                   fpc = ~n_wards + n_villages + n_people, nest = TRUE, data = d)
derived <- svydesign(~ward + village + person, strata = ~stratum, fpc = ~n_wards + n_villages + n_people, nest = TRUE, data = d)
with_replacement <- svydesign(~ward, strata = ~stratum, weights = ~weight, nest = TRUE, data = d)
fractions <- svydesign(~ward, strata = ~stratum, weights = ~weight, fpc = ~f1, nest = TRUE, data = d)
every("one_stage", one)
every("two_stages", two)
every("three_stages", three)
every("weights_from_fpc", derived)
every("with_replacement", with_replacement)
every("fractions", fractions)
for (g in c("a", "b", "c")) every(paste0("three_stages_group_", g), subset(three, group == g))
for (rule in c("remove", "adjust", "average", "certainty")) {
  options(survey.lonely.psu = rule)
  every(paste0("lonely_", rule), svydesign(~ward, strata = ~pair, weights = ~weight, nest = TRUE, data = d))
  every(paste0("lonely_fpc_", rule), svydesign(~ward, strata = ~pair, weights = ~weight, fpc = ~n_pair, nest = TRUE, data = d))
  lonely <- svydesign(~ward, strata = ~pair, weights = ~weight, nest = TRUE, data = d)
  every(paste0("lonely_domain_", rule), subset(lonely, stratum != 3))
  if (rule != "average")  # R has no variance (NaN) for a ward whose one village stands alone
    every(paste0("lonely_village_", rule), svydesign(~ward + hamlet, strata = ~stratum, weights = ~weight,
                                                     fpc = ~n_wards + n_villages, nest = TRUE, data = d))
}
result <- do.call(rbind, out)
result$estimate <- format(result$estimate, digits = 15, trim = TRUE, scientific = TRUE)
result$se <- format(result$se, digits = 15, trim = TRUE, scientific = TRUE)
write.csv(result, "survey_fpc.csv", row.names = FALSE, quote = FALSE)
writeLines(c(R.version.string, paste("survey", packageVersion("survey"))), "survey_fpc.VERSIONS")
